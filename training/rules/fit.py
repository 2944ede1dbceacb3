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

HIDDEN = (48, 24)
CLIP = 4.0


def network(n_features, dropout):
    return torch.nn.Sequential(
        torch.nn.Linear(n_features, HIDDEN[0]), torch.nn.ReLU(), torch.nn.Dropout(dropout),
        torch.nn.Linear(HIDDEN[0], HIDDEN[1]), torch.nn.ReLU(), torch.nn.Linear(HIDDEN[1], 1))


def train(features, utility, photos, seed, *, epochs, learning_rate=3e-3, weight_decay=1e-2, dropout=0.3, feature_dropout=0.1,
          target_temperature=0.03, batch=8, n_boxes=200):
    """features (photo, mirrored, box, feature) standardised; utility (photo, mirrored, box)."""
    torch.manual_seed(seed)
    rng = torch.Generator().manual_seed(seed)
    net = network(features.shape[3], dropout)
    optimiser = torch.optim.AdamW(net.parameters(), lr=learning_rate, weight_decay=weight_decay)
    items = torch.tensor([(p, m) for p in photos for m in (0, 1)])
    n_batches = len(items) // batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, learning_rate, total_steps=epochs * n_batches + 1)
    for _ in range(epochs):
        order = torch.randperm(len(items), generator=rng)
        for i in range(n_batches):
            chosen = items[order[i * batch:(i + 1) * batch]]
            boxes = torch.randperm(features.shape[2], generator=rng)[:n_boxes]
            x = torch.stack([features[p, m][boxes] for p, m in chosen.tolist()])
            target = torch.softmax(utility[chosen[:, 0], chosen[:, 1]][:, boxes] / target_temperature, 1)
            x = x * (torch.rand(batch, 1, x.shape[2], generator=rng) > feature_dropout)
            loss = -(target * torch.log_softmax(net(x)[..., 0], 1)).sum(1).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return net.eval()


def standardise(raw, photos):
    flat = raw[photos].reshape(-1, raw.shape[3])
    mean, deviation = flat.mean(0, dtype=np.float64), flat.std(0, dtype=np.float64) + 1e-6
    return mean.astype(np.float32), deviation.astype(np.float32)


def scaled(raw, mean, deviation):
    out = np.empty(raw.shape, np.float32)
    for p in range(len(raw)):
        out[p] = np.clip((raw[p] - mean) / deviation, -CLIP, CLIP)
    return torch.from_numpy(out)


@torch.no_grad()
def log_probabilities(nets, features, mirror):
    """Mean over networks and over the photo and its mirror image, (photo, box)."""
    total = 0
    for net in nets:
        plain = torch.log_softmax(net(features[:, 0])[..., 0], 1)
        mirrored = torch.log_softmax(net(features[:, 1])[..., 0], 1)[:, mirror]
        total = total + (plain + mirrored) / 2 / len(nets)
    return total.numpy()


def cross_validate(data, seeds, epochs, n_folds, fold_seed):
    fold = C.folds(len(data.humans), n_folds, fold_seed)
    scores = np.zeros((len(data.humans), len(data.boxes)))
    for k in range(n_folds):
        fitted, held_out = np.where(fold != k)[0], np.where(fold == k)[0]
        mean, deviation = standardise(data.features, fitted)
        features = scaled(data.features, mean, deviation)
        nets = [train(features, data.utility, fitted.tolist(), seed, epochs=epochs) for seed in range(seeds)]
        scores[held_out] = log_probabilities(nets, features[held_out], data.mirror)
    return scores


def write_weights(data, seeds, epochs, temperature, path):
    photos = np.arange(len(data.humans))
    mean, deviation = standardise(data.features, photos)
    features = scaled(data.features, mean, deviation)
    values = [mean, deviation]
    for seed in range(seeds):
        net = train(features, data.utility, photos.tolist(), seed, epochs=epochs)
        for layer in (net[0], net[3], net[5]):
            values += [layer.weight.detach().numpy().ravel(), layer.bias.detach().numpy().ravel()]
    flat = np.concatenate(values).astype('<f4')
    path.write_text(TEMPLATE.format(n_features=features.shape[3], hidden=list(HIDDEN), seeds=seeds, clip=CLIP,
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
            scores = cross_validate(data, arguments.seeds, arguments.epochs, arguments.folds, fold_seed)
            for temperature in (0.6, 0.8, 1.0):
                C.print_figures(f'folds {fold_seed}, temperature {temperature}', C.choose(data, scores / temperature), data)
    if arguments.write:
        target = pathlib.Path(__file__).parents[2] / 'src/engines/rules/weights.ts'
        write_weights(data, arguments.seeds, arguments.epochs, arguments.temperature, target)


if __name__ == '__main__':
    main()
