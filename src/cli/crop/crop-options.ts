import { Option, type Command } from 'commander';
import { FALLBACKS, FITS } from '../../base/schema.js';
import { XMP_WAYS } from '../../batch/options.js';
import { CROP_DEFAULTS, MAX_CANDIDATES } from '../../crop/defaults.js';
import { PLACES } from '../../crop/place.js';
import { SERIES } from '../../cropper/series/series-wish.js';
import { SIDECAR_NAMES } from '../../photo/metadata/sidecar-path.js';
import { OUTPUT_FORMATS } from '../../photo/output-format.js';
import {
  addModelFlags,
  collect,
  engineOption,
  parseColour,
  parseFocusFlag,
  parseJobs,
  parseMarginFlag,
  parseRect,
  parseShare,
  parseStraighten,
  parseTemperature,
  parseWhole,
} from '../options.js';
import { parsePreset, PRESET_NAMES } from './presets.js';
import { readXmpFlag } from './xmp-flag.js';

/** All that may be asked of a crop, and how and where it is written. */
export function addCropOptions(command: Command): Command {
  command
    .addOption(engineOption())
    .option(
      '--index <file>',
      'for the engine retrieval, made by framewright index build (default: the one of the package)',
    )
    .option('-o, --output <file|folder>', 'where to write, - for stdout (default: beside each photo)')
    .option('-a, --aspect <ratio>', 'aspect ratio, e.g. 4:5; repeatable', collect(String), [])
    .option('--size <pixels>', 'output size, e.g. 1080x1350; repeatable', collect(String), [])
    .addOption(
      new Option('--preset <name>', 'output size by where the picture goes, e.g. instagram-portrait; repeatable')
        .choices(PRESET_NAMES)
        .argParser(collect(parsePreset))
        .default([]),
    )
    .option(
      '-n, --candidates <n>',
      'crops to propose',
      parseWhole('candidates', 1, MAX_CANDIDATES),
      CROP_DEFAULTS.candidates,
    )
    .option('--top <k>', 'write the k best candidates', parseWhole('top', 1, MAX_CANDIDATES), 1)
    .option(
      '--votes <n>',
      'orders of the candidates to average the decision over',
      parseWhole('votes', 1, MAX_CANDIDATES),
      CROP_DEFAULTS.votes,
    )
    .option('--keep <x,y,w,h>', 'rectangle no crop may cut; repeatable', collect(parseRect), [])
    .option('--focus <x,y>', 'point the crop is built around, in pixels or as 50%,30%', parseFocusFlag)
    .option(
      '--no-camera-focus',
      'leave aside what the camera has noted of its subject (EXIF SubjectArea, SubjectLocation; the autofocus of Canon EOS and Sony)',
    )
    .addOption(
      new Option(
        '--place <where>',
        'where in the crop its subject is to be, by thirds; left leaves the height as it is',
      ).choices([...PLACES]),
    )
    .option(
      '--margin <room>',
      'trim to the subject with this room around it: 10% of its longer side, or 40px (with --keep, to what that names)',
      parseMarginFlag,
    )
    .option(
      '--faces',
      'find heads and keep them whole, with room around; needs packages of its own, which are named if absent',
      false,
    )
    .option(
      '--hints <file>',
      'wishes for single photos, JSON Lines: {"path": "a.jpg", "focus": [420, 310], "keep": [...]}',
    )
    .option(
      '--min-size <share>',
      "least area of a crop, as a share of the photo's (default: 0.25, less where a ratio has no room for it)",
      parseShare,
    )
    .addOption(
      new Option(
        '--fit <how>',
        'where no crop of a ratio holds what is to be kept, or one is smaller than --size: crop leaves the ratio out and enlarges, pad and blur put it on a canvas (default: crop)',
      ).choices([...FITS]),
    )
    .option('--background <colour>', 'of the canvas of --fit pad, as #rrggbb (default: white)', parseColour)
    .option('--enlarge', 'enlarge what --fit pad or blur puts on a canvas until it fills it one way', false)
    .option(
      '--min-confidence <p>',
      'least score of the best candidate (1 / candidates: no preference at all); below it, see --fallback',
      parseShare,
    )
    .addOption(
      new Option(
        '--fallback <what>',
        "instead of an unsure crop: another engine's, the photo as it is, or a line in the review list (default)",
      ).choices([...FALLBACKS]),
    )
    .option('--review-list <file>', 'where crops for review are listed (default: review.jsonl in the output folder)')
    .option(
      '--instruct <words>',
      'what to look for, e.g. "keep the dog, more sky"; needs a Qwen-VL (--model qwen2.5-vl-7b), the default model takes none',
    )
    .option(
      '--straighten <off|auto|degrees>',
      'turn a tilted photo upright first: auto where its horizon or upright edges show clearly that it is tilted, or by so many degrees, clockwise (default: off)',
      parseStraighten,
    )
    .option(
      '--whole-text',
      'look for lines of printed text and cut none that was found: crops are moved a little, each line inside or outside',
      false,
    )
    .addOption(
      new Option(
        '--series <how>',
        'photos whose crops are to be one: auto those taken one soon after the other that show the same, folder all of a folder (default: off)',
      ).choices([...SERIES]),
    )
    .option(
      '--like <photo[,crop]>',
      'the subject as large, and where, as in this crop: a picture that was cropped, a photo and its crop, or a photo with a crop in its XMP sidecar',
    )
    .addOption(new Option('--format <format>', "output format (default: the source's)").choices([...OUTPUT_FORMATS]))
    .option('--quality <n>', "encoder quality, 1..100 (default: a JPEG's own)", parseWhole('quality', 1, 100))
    .option('--first-frame', 'of an animated GIF, WebP or PNG, crop the first frame alone', false)
    .option('--strip', 'leave out EXIF, IPTC, XMP, gain map and colour profile', false)
    .option('--name <template>', 'names of the files, of {name}, {dir}, {aspect}, {rank}, {index} and {ext}')
    .option(
      '--lossless',
      'cut JPEGs without decoding them, by the program jpegtran: no pixel changes, and two edges of a crop move outwards by up to 15 pixels, as stderr says',
      false,
    )
    .option('--keep-time', "give the crops the photo's modification time", false)
    .addOption(
      new Option(
        '--xmp [where]',
        "note the crop in XMP, and write a picture only with --output: sidecar (default), a file beside the photo, which Lightroom reads of raw files only; embed, the photo's own file (JPEG, TIFF, PNG, HEIC), which it reads",
      )
        .choices([...XMP_WAYS])
        .preset(XMP_WAYS[0])
        .default(false),
    )
    .addOption(
      new Option(
        '--xmp-name <name>',
        "what sidecars are called: x.xmp, which Adobe's programs read, and darktable when it imports; x.jpg.xmp, as darktable and digiKam call their own (default: x.xmp, but x.jpg.xmp where there is one or x.xmp is another file's)",
      ).choices([...SIDECAR_NAMES]),
    )
    .option('--overlay', 'also write the photo with composition and candidates drawn on it', false)
    .option('--report <file>', 'a page to look through the crops and pick others (.html)')
    .option('--contact-sheet <file>', 'one picture of all photos with their crops drawn on them')
    .option('--choices <file>', 'crop as picked in such a page; takes no photos and no model')
    .option('--dry-run', 'write no crops', false)
    .option('--recursive', 'look below folders', false)
    .option(
      '--jobs <n|auto>',
      'photos at once: auto finds out how many gain where that changes no crop; a number lets them share batches',
      parseJobs,
      'auto',
    )
    .option('--watch', 'go on cropping what arrives in these folders, until Ctrl-C', false)
    .option('--resume', 'go on with a run that was stopped or killed: what it has done is not done again', false)
    .option('--journal <file>', 'where a run of several photos notes what is done (default: in the output folder)')
    .option('--no-journal', 'note nothing: the run cannot be resumed')
    .option('--force', 'overwrite', false)
    .option('--json', 'one JSON object a crop on stdout', false)
    .option(
      '--seed <n>',
      'seed, used when the temperature is above 0',
      parseWhole('seed', 0, 2 ** 32 - 1),
      CROP_DEFAULTS.seed,
    )
    .option('--temperature <t>', '0 takes the most probable answer', parseTemperature, CROP_DEFAULTS.temperature)
    .option('--max-pixels <n>', 'largest photo to take', parseWhole('max-pixels', 1, Number.MAX_SAFE_INTEGER));
  readXmpFlag(command);
  return addModelFlags(command);
}
