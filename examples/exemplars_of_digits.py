"""
The exemplars are the network
=============================

The network is calculated from the centres of a few clusters per class. It can be looked
at before it is trained, and it already tells digits apart.
"""

# %%
# Thirty exemplars of scikit-learn's digits, three for each.
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skmetricmlp import MetricInitMLPClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, random_state=0)
clf = MetricInitMLPClassifier(n_exemplars=30, max_iter=0, random_state=0)
clf.fit(X_train, y_train)

# %%
# The exemplars as characters, the darker the more ink: the three that stand for 3.
SHADES = " .:-=+*#%@"
threes = clf.exemplars_[clf.exemplar_labels_ == 3]
for line in range(8):
    pixels = threes.reshape(-1, 8, 8)[:, line]
    drawn = ("".join(SHADES[int(9 * p)] * 2 for p in image) for image in pixels)
    print("   ".join(drawn))

# %%
# The widths are d, N(N-1), N and C, and the function is the nearest exemplar's class.
print("layers:", [len(clf.coefs_[0]), *(len(b) for b in clf.intercepts_)])
print(f"untrained: {clf.score(X_test, y_test):.3f}")

# %%
# Backpropagation refines it, an epoch at a time.
for epoch in range(1, 6):
    accuracy = clf.partial_fit(X_train, y_train).score(X_test, y_test)
    print(f"epoch {epoch}: {accuracy:.3f}")
