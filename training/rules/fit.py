"""Fits the scorer of the rules engine to human crops, from features the engine itself dumped (features.mjs).

    python training/rules/fit.py <crops.json> <feature folder> --cv            figures by K-fold cross-validation
    python training/rules/fit.py <crops.json> <feature folder> --write         fits on all photos, writes weights.ts

The target of a box is the mean of its best and its mean IoU to the annotators; networks learn the softmax of it over a
photo's boxes (listwise, KL). A crop is then chosen for its highest expected IoU under the predicted distribution.
Needs numpy and torch.
"""
import argparse
import base64
import json
import pathlib

import numpy as np
import torch

import crops as C

HIDDEN = (32, 16)
CLIP = 4.0


def network(n_features, dropout):
    return torch.nn.Sequential(
        torch.nn.Linear(n_features, HIDDEN[0]), torch.nn.ReLU(), torch.nn.Dropout(dropout),
        torch.nn.Linear(HIDDEN[0], HIDDEN[1]), torch.nn.ReLU(), torch.nn.Linear(HIDDEN[1], 1))


class Photos:
    """Standardised features of the photos and of their mirror images; what the networks see."""

    def __init__(self, data, fitted):
        flat = data.features[fitted].reshape(-1, data.features.shape[2])
        mean, square = flat.mean(0, dtype=np.float64), (flat.astype(np.float64) ** 2).mean(0)
        # Mean and deviation over the photos and their mirror images.
        mirrored = np.where(data.complement, 1 - mean, mean[data.mirror_feature])
        mirrored_square = np.where(data.complement, 1 - 2 * mean + square, square[data.mirror_feature])
        self.mean = ((mean + mirrored) / 2).astype(np.float32)
        self.deviation = (np.sqrt((square + mirrored_square) / 2 - self.mean.astype(np.float64) ** 2) + 1e-6).astype(np.float32)
        self.plain = torch.empty(data.features.shape, dtype=torch.float16)
        for i, raw in enumerate(data.features):
            self.plain[i] = torch.from_numpy(np.clip((raw - self.mean) / self.deviation, -CLIP, CLIP))
        self.mirror_box = torch.from_numpy(data.mirror)
        self.mirror_feature = torch.from_numpy(data.mirror_feature)
        self.sign = torch.from_numpy(np.where(data.complement, -1, 1).astype(np.float32))

    def of(self, photo, mirrored, boxes):
        """(box, feature) of some boxes of a photo or of its mirror image."""
        if not mirrored:
            return self.plain[photo][boxes].float()
        return self.plain[photo][self.mirror_box[boxes]].float()[:, self.mirror_feature] * self.sign


def train(photos, utility, used, seed, *, epochs, learning_rate=3e-3, weight_decay=1e-2, dropout=0.3, feature_dropout=0.1,
          target_temperature=0.03, batch=8, n_boxes=200):
    """utility (photo, box); one pass over the photos and their mirror images an epoch."""
    torch.manual_seed(seed)
    rng = torch.Generator().manual_seed(seed)
    n_features = photos.plain.shape[2]
    net = network(n_features, dropout)
    optimiser = torch.optim.AdamW(net.parameters(), lr=learning_rate, weight_decay=weight_decay)
    items = torch.tensor([(photo, mirrored) for photo in used for mirrored in (0, 1)])
    n_steps = epochs * len(items) // batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, learning_rate, total_steps=n_steps + 1)
    order = []
    for _ in range(n_steps):
        if len(order) < batch:
            order = torch.randperm(len(items), generator=rng).tolist()
        chosen, order = items[order[:batch]].tolist(), order[batch:]
        boxes = torch.randperm(photos.plain.shape[1], generator=rng)[:n_boxes]
        x = torch.stack([photos.of(photo, mirrored, boxes) for photo, mirrored in chosen])
        wanted = torch.stack([utility[photo][photos.mirror_box[boxes] if mirrored else boxes] for photo, mirrored in chosen])
        target = torch.softmax(wanted / target_temperature, 1)
        x = x * (torch.rand(batch, 1, n_features, generator=rng) > feature_dropout)
        loss = -(target * torch.log_softmax(net(x)[..., 0], 1)).sum(1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return net.eval()


@torch.no_grad()
def log_probabilities(nets, photos, wanted):
    """Mean over networks and over the photo and its mirror image, (wanted, box)."""
    boxes = torch.arange(photos.plain.shape[1])
    total = np.zeros((len(wanted), len(boxes)))
    for row, photo in enumerate(wanted):
        plain, mirrored = photos.of(photo, 0, boxes), photos.of(photo, 1, boxes)
        for net in nets:
            both = torch.log_softmax(net(plain)[:, 0], 0) + torch.log_softmax(net(mirrored)[:, 0], 0)[photos.mirror_box]
            total[row] += both.numpy() / 2 / len(nets)
    return total


def utility_of(data, best_share):
    return torch.tensor(np.array([best_share * o.max(1) + (1 - best_share) * o.mean(1) for o in data.overlap], np.float32))


def cross_validate(data, seeds, epochs, best_share, n_folds, fold_seed):
    n_photos = len(data.humans)
    fold = C.folds(n_photos, n_folds, fold_seed)
    utility = utility_of(data, best_share)
    scores = np.zeros((n_photos, len(data.boxes)))
    for k in range(n_folds):
        fitted, held_out = np.where(fold != k)[0], np.where(fold == k)[0]
        photos = Photos(data, fitted)
        nets = [train(photos, utility, fitted.tolist(), seed, epochs=epochs) for seed in range(seeds)]
        scores[held_out] = log_probabilities(nets, photos, held_out)
    return scores


def write_weights(data, seeds, epochs, best_share, temperature, path):
    used = np.arange(len(data.humans))
    photos = Photos(data, used)
    utility = utility_of(data, best_share)
    values = [photos.mean, photos.deviation]
    for seed in range(seeds):
        net = train(photos, utility, used.tolist(), seed, epochs=epochs)
        for layer in (net[0], net[3], net[5]):
            values += [layer.weight.detach().numpy().ravel(), layer.bias.detach().numpy().ravel()]
    flat = np.concatenate(values).astype('<f4')
    path.write_text(TEMPLATE.format(n_features=data.features.shape[2], hidden=list(HIDDEN), seeds=seeds, clip=CLIP,
                                    temperature=temperature, float32=base64.b64encode(flat.tobytes()).decode()))
    print(f'{path}: {flat.size} values')


TEMPLATE = """// Written by training/rules/fit.py; fitted to human crops, see there. Do not edit.
import {{ decodeScorer, type Scorer }} from './scorer.js';

/** The fitted scorer, decoded anew at each call; keep it for a batch. */
export function defaultScorer(): Scorer {{
  return decodeScorer({{
    nFeatures: {n_features},
    nHidden: {hidden},
    nNetworks: {seeds},
    clip: {clip},
    temperature: {temperature},
    float32: FLOAT32,
  }});
}}

const FLOAT32 =
  '{float32}';
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('crops', type=pathlib.Path)
    parser.add_argument('features', type=pathlib.Path)
    parser.add_argument('--cv', action='store_true')
    parser.add_argument('--write', action='store_true')
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--epochs', type=int, default=12)
    parser.add_argument('--best-share', type=float, default=0.5, help='of the best IoU in the target; the rest is the mean IoU')
    parser.add_argument('--folds', type=int, default=5)
    parser.add_argument('--fold-seeds', type=int, nargs='+', default=[0])
    parser.add_argument('--temperature', type=float, default=0.8)
    parser.add_argument('--threads', type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    data = C.load(arguments.crops, arguments.features)
    if arguments.cv:
        C.print_floors(data)
        for fold_seed in arguments.fold_seeds:
            scores = cross_validate(data, arguments.seeds, arguments.epochs, arguments.best_share, arguments.folds, fold_seed)
            for temperature in (0.6, 0.8, 1.0):
                C.print_figures(f'folds {fold_seed}, temperature {temperature}', C.choose(data, scores / temperature), data.humans)
    if arguments.write:
        target = pathlib.Path(__file__).parents[2] / 'src/engines/rules/scoring/weights.ts'
        write_weights(data, arguments.seeds, arguments.epochs, arguments.best_share, arguments.temperature, target)


if __name__ == '__main__':
    main()
