import { localError } from '../errors/failure';
import {
	recordOf,
	isRecord,
	asList,
	filled,
	finiteNumber,
	nonEmptyText,
	type JsonRecord,
} from '../../values';

const MEDIA_TYPES = ['image', 'video', 'audio'] as const;
type MediaType = (typeof MEDIA_TYPES)[number];

const FILE_TYPES = [...MEDIA_TYPES, 'document', 'custom'] as const;
export type DifyFileType = (typeof FILE_TYPES)[number];

/** A file in a run. Dify silently drops an entry without a transfer method (docs/protocols/dify.md 2.1.3). */
export type DifyFileRef =
	| { type: DifyFileType; transfer_method: 'remote_url'; url: string }
	| { type: DifyFileType; transfer_method: 'local_file'; upload_file_id: string };

/** File types by extension, as Dify decides them, for its size limits too (docs/protocols/dify.md 2.9). */
const EXTENSIONS: ReadonlyArray<readonly [MediaType, readonly string[]]> = [
	['image', ['jpg', 'jpeg', 'png', 'webp', 'gif', 'svg']],
	['video', ['mp4', 'mov', 'mpeg', 'webm']],
	['audio', ['mp3', 'm4a', 'wav', 'amr', 'mpga']],
];

/** Files that a field or an app takes. Undefined: no limit known. */
export interface FileRules {
	/** Named in errors: "the app" or a field of its form. */
	where: string;
	enabled: boolean;
	types?: DifyFileType[];
	/** For the type `custom`, in lower case, without dot. */
	extensions?: string[];
	methods?: string[];
	most?: number;
}

/** Largest files of the installation, in megabytes (docs/protocols/dify.md 2.11, `system_parameters`). */
type SizeLimits = Partial<Record<MediaType | 'other', number>>;

export function sizeLimitsOf(parameters: JsonRecord): SizeLimits {
	const system = recordOf(parameters.system_parameters);
	return {
		image: finiteNumber(system.image_file_size_limit),
		video: finiteNumber(system.video_file_size_limit),
		audio: finiteNumber(system.audio_file_size_limit),
		other: finiteNumber(system.file_size_limit),
	};
}

/** File rules of an app. Before 1.0, Dify had pictures only, one level deeper. */
export function appFileRules(parameters: JsonRecord): FileRules {
	const upload = recordOf(parameters.file_upload);
	const image = recordOf(upload.image);
	const isOld =
		upload.enabled === undefined &&
		upload.allowed_file_types === undefined &&
		isRecord(upload.image);
	const settings = isOld
		? {
				...image,
				allowed_file_types: ['image'],
				allowed_file_upload_methods: image.transfer_methods,
			}
		: upload;
	return {
		where: 'the app',
		enabled: settings.enabled === true,
		...limitsOf(settings),
		most: finiteNumber(settings.number_limits),
	};
}

/** File rules of a form field. @param most used in place of `number_limits` */
export function fieldFileRules(
	label: string,
	kind: string,
	settings: JsonRecord,
	most?: number,
): FileRules {
	return {
		where: `the field "${label}"`,
		enabled: true,
		...limitsOf(settings),
		most: kind === 'file' ? 1 : (most ?? finiteNumber(settings.number_limits)),
	};
}

/** File rules in the settings of an app or of a form field. */
function limitsOf(settings: JsonRecord): Pick<FileRules, 'types' | 'extensions' | 'methods'> {
	const extensions = texts(settings.allowed_file_extensions).map((extension) =>
		extension.toLowerCase().replace(/^\./, ''),
	);
	return filled({
		types: texts(settings.allowed_file_types).filter(isFileType),
		extensions,
		methods: texts(settings.allowed_file_upload_methods),
	});
}

function isFileType(type: string): type is DifyFileType {
	return (FILE_TYPES as readonly string[]).includes(type);
}

function texts(value: unknown): string[] {
	return asList(value).filter((each): each is string => nonEmptyText(each) !== undefined);
}

export function extensionOf(name: string): string {
	return /\.([^./\\]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';
}

/** Dify's type of a file; `custom` where the rules allow that and not its own type. */
export function fileTypeOf(
	name: string,
	mimeType: string | undefined,
	rules?: Pick<FileRules, 'types'>,
): DifyFileType {
	const type = typeByName(name) ?? typeByFamily(mimeType);
	const allowed = rules?.types ?? [type];
	const isCustom = !allowed.includes(type) && allowed.includes('custom');
	return isCustom ? 'custom' : type;
}

function typeByName(name: string): MediaType | undefined {
	const extension = extensionOf(name);
	return EXTENSIONS.find(([, extensions]) => extensions.includes(extension))?.[0];
}

function typeByFamily(mimeType = ''): DifyFileType {
	const family = mimeType.split('/')[0];
	return MEDIA_TYPES.find((type) => type === family) ?? 'document';
}

interface CheckedFile {
	name: string;
	type: DifyFileType;
	/** Bytes; not known for a URL, which Dify fetches itself. */
	size?: number;
}

/**
 * Checks files before anything is sent: Dify says little about a refused file, and silently drops all where file upload
 * is switched off (docs/protocols/dify.md 2.1.3).
 *
 * @throws {ServerError}
 */
export function checkFiles(
	files: readonly CheckedFile[],
	rules: FileRules,
	sizes: SizeLimits,
): void {
	if (files.length === 0) return;
	const { where, most } = rules;
	if (!rules.enabled)
		throw localError(
			'featureOff',
			`File upload is switched off in ${where}, so Dify would drop the files without a word`,
			'Switch on file upload in the app in Dify and publish it, or remove the files in the node.',
		);
	if (most !== undefined && files.length > most)
		throw localError(
			'fileRejected',
			`${files.length} files are given, but ${where} takes ${most} at most`,
		);
	for (const file of files) checkFile(file, rules, sizes);
}

function checkFile(file: CheckedFile, rules: FileRules, sizes: SizeLimits): void {
	checkType(file, rules);
	checkMethod(file, rules);
	checkSize(file, sizes);
}

function checkType({ name, type }: CheckedFile, { where, types, extensions }: FileRules): void {
	if (types !== undefined && !types.includes(type))
		throw localError(
			'fileType',
			`"${name}" is of type ${type}, but ${where} takes only: ${types.join(', ')}`,
		);
	if (type === 'custom' && extensions !== undefined && !extensions.includes(extensionOf(name)))
		throw localError(
			'fileType',
			`"${name}" has an extension that ${where} does not take (${extensions.join(', ')})`,
		);
}

function checkMethod({ size }: CheckedFile, { where, methods }: FileRules): void {
	const isUrl = size === undefined;
	if (methods === undefined || methods.includes(isUrl ? 'remote_url' : 'local_file')) return;
	const taker = where === 'the app' ? 'The app' : where;
	const taken = isUrl ? 'no URLs, only uploaded files' : 'no uploaded files, only URLs';
	throw localError('fileRejected', `${taker} takes ${taken}`);
}

function checkSize({ name, size }: CheckedFile, sizes: SizeLimits): void {
	const limit = sizes[typeByName(name) ?? 'other'];
	if (size === undefined || limit === undefined || size <= limit * 1024 * 1024) return;
	throw localError(
		'fileTooLarge',
		`"${name}" has ${inMegabytes(size)} MB, but this Dify takes ${limit} MB at most for its kind of file`,
	);
}

export function inMegabytes(bytes: number): string {
	return (bytes / 1024 / 1024).toFixed(1);
}

/**
 * Splits the text of a field into names and URLs, separated by commas. A comma inside a URL belongs to it (Cloudinary:
 * `/w_300,h_200/cat.png`), unless a blank or another URL follows.
 */
export function fileNames(typed: string): string[] {
	const names = typed.match(/https?:\/\/(?:[^\s,]|,(?!\s|https?:\/\/|$))+|[^\s,][^,]*/gi) ?? [];
	return names.map((name) => name.trim());
}

/** The file name in a URL, for its type and for errors. */
export function nameInUrl(url: string): string {
	const path = url.replace(/[?#].*$/s, '').replace(/\/{1,99}$/, '');
	return path.slice(path.lastIndexOf('/') + 1) || url;
}

/**
 * The trimmed URL.
 *
 * @throws {ServerError} for a URL that Dify could not fetch
 */
export function checkedUrl(url: string): string {
	const trimmed = url.trim();
	if (/^https?:\/\//i.test(trimmed) && URL.canParse(trimmed)) return trimmed;
	throw localError(
		'fileRejected',
		`The file URL is not valid: "${trimmed.slice(0, 200)}"`,
		'Give a full address that starts with http:// or https:// and that Dify itself can reach.',
	);
}
