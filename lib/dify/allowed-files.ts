/** Which files an app or a field of its form accepts (docs/protocols/dify.md 2.1.3, 2.9). */
import type { UnsentFile } from '../unsent-files';
import { asFiniteNumber } from '../values/numbers';
import type { JsonRecord } from '../values/records';
import { asArray, asRecord, asString, omitUndefined } from '../values/records';
import type { DifyFileType } from './file-types';
import { detectMediaType, FILE_TYPES, getExtension } from './file-types';
import { describeObstacle } from '../errors/chapters/dify';
import type { DifyErrorType } from '../errors/error-types';
import type { FileObstacle } from '../errors/facts';
import { createDifyError } from './create-error';
import { getOwn } from '../values/own-properties';

/** A file that would be uploaded. */
export interface UploadCandidate {
	name: string;
	mimeType: string;
	/** Bytes. */
	size: number;
}

/** A file of the node, as far as it is known before it is sent. */
export interface FileCandidate extends Partial<UploadCandidate> {
	/** Or its URL. */
	name: string;
	/** The type that the node names. Default: detected. */
	type?: DifyFileType;
	/** How Dify gets it. `dify`: it has the file, and has checked it. */
	origin: 'upload' | 'url' | 'dify';
}

/** Which files an app, or a field of its form, accepts. */
export interface FileRules {
	/** Default: all. */
	types: readonly unknown[] | undefined;
	/** Endings of files of the type "custom", in lower case and without a dot; empty: any. */
	endings: readonly string[];
	/** `local_file`, `remote_url`; empty: any. */
	methods: readonly unknown[];
	/** The same for images; empty: as for other files. */
	imageMethods: readonly unknown[];
	/** Files per message. */
	maxFiles: number;
	/** Megabytes of a file, by its type. */
	maxMegabytes: Readonly<Partial<Record<DifyFileType, number>>>;
}

/** What is sent, with Dify's types, and what is not. */
export interface FileSelection<T> {
	allowed: Array<{ file: T; type: DifyFileType }>;
	unsent: UnsentFile[];
}

/**
 * Selects the files that an app accepts, in their order.
 *
 * @param parameters of the app
 */
export function selectAllowedFiles<T extends UploadCandidate>(
	files: readonly T[],
	parameters: JsonRecord,
): FileSelection<T> {
	const rules = parseAppFileRules(parameters);
	const selection: FileSelection<T> = { allowed: [], unsent: [] };
	for (const file of files) {
		const type = getType(file);
		const obstacle =
			rules === undefined
				? DISABLED
				: (findObstacle({ ...file, origin: 'upload' }, type, rules) ??
					findExcess(selection.allowed.length, rules));
		if (rules !== undefined && obstacle === undefined)
			selection.allowed.push({ file, type: toSentType(type, rules) });
		else if (obstacle !== undefined)
			selection.unsent.push({ name: file.name, reason: describeObstacle(obstacle) });
	}
	return selection;
}

const DISABLED: FileObstacle = { type: 'disabled' };

/** What accepts the files. */
interface FilePlace {
	/** Undefined: it accepts none. */
	rules: FileRules | undefined;
	/** Label of the field in the form. Default: files beside the form. */
	formField?: string;
	/** Host of Dify. */
	host?: string;
}

const TYPES_BY_OBSTACLE: Readonly<Record<FileObstacle['type'], DifyErrorType>> = {
	disabled: 'appFeatureDisabled',
	kind: 'fileTypeNotAllowed',
	urlsOnly: 'fileRejected',
	uploadsOnly: 'fileRejected',
	size: 'requestTooLarge',
	count: 'fileRejected',
};

/**
 * Checks files before the first one is uploaded: Dify would reject the run afterwards, and would name only one of them.
 *
 * @throws {ServerError} with the fact `unacceptedFiles` for the first one that would not be accepted, or for too many
 */
export function assertAcceptedFiles(
	files: readonly FileCandidate[],
	{ rules, formField, host }: FilePlace,
): void {
	const fail = (names: readonly string[], obstacle: FileObstacle): never => {
		const unacceptedFiles = { names, obstacle, formField };
		throw createDifyError(TYPES_BY_OBSTACLE[obstacle.type], {
			about: { unacceptedFiles, host },
			retryable: false,
		});
	};
	const names = files.map(({ name }) => name);
	if (files.length === 0) return;
	if (rules === undefined) return fail(names, DISABLED);
	for (const file of files) {
		const obstacle = findCandidateObstacle(file, rules);
		if (obstacle !== undefined) fail([file.name], obstacle);
	}
	if (names.length > rules.maxFiles) fail(names, { type: 'count', maxFiles: rules.maxFiles });
}

/** The type of a file; undefined: neither the node, its name nor its MIME type shows one. */
function findCandidateType({ name, mimeType = '', type, origin }: FileCandidate) {
	if (type !== undefined || origin === 'dify') return type;
	const detected = getType({ name, mimeType });
	// What a URL without a known ending returns is known to Dify only.
	const isGuess = detected === 'custom' && (origin === 'url' || getExtension(name) === '');
	return isGuess ? undefined : detected;
}

function findCandidateObstacle(file: FileCandidate, rules: FileRules): FileObstacle | undefined {
	const { name, size = 0, origin } = file;
	if (origin === 'dify') return undefined;
	return findObstacle({ name, size, origin }, findCandidateType(file), rules);
}

/** Dify's own list for documents; other endings are "custom" for it, like those of archives. */
const DOCUMENT_ENDINGS: ReadonlySet<string> = new Set(
	'txt markdown md mdx pdf html htm xlsx xls vtt properties doc docx csv eml msg ppt pptx xml epub'.split(
		' ',
	),
);

function getType({ name, mimeType }: Pick<UploadCandidate, 'name' | 'mimeType'>): DifyFileType {
	const extension = getExtension(name);
	const media = detectMediaType({ extension, mimeType });
	const isDocument = DOCUMENT_ENDINGS.has(extension) || /text|pdf/.test(mimeType);
	return media ?? (isDocument ? 'document' : 'custom');
}

/** A file that the node sends. */
type SentOrigin = Exclude<FileCandidate['origin'], 'dify'>;

/** Dify's names for how it gets a file. */
const METHODS: Readonly<Record<SentOrigin, string>> = { upload: 'local_file', url: 'remote_url' };

/** The rules of an app for files beside its form; undefined: it accepts none. */
export function parseAppFileRules(parameters: JsonRecord): FileRules | undefined {
	const upload = asRecord(parameters.file_upload);
	const image = asRecord(upload.image);
	if (upload.enabled !== true) return undefined;
	return {
		...parseFileRules(upload, asRecord(parameters.system_parameters)),
		imageMethods: asArray(image.transfer_methods),
		// 0 is no limit.
		maxFiles: asFiniteNumber(upload.number_limits) || Infinity,
	};
}

/** A field of a form. */
interface FileFieldSettings {
	/** Dify's type of the field. */
	type: string;
	settings: JsonRecord;
	/** `system_parameters` of the app. Default: no limits of size. */
	limits?: JsonRecord;
}

/** The rules of a field in a form; undefined: it is not a field for files. */
export function parseFieldFileRules({
	type,
	settings,
	limits = {},
}: FileFieldSettings): FileRules | undefined {
	if (type !== 'file' && type !== 'file-list') return undefined;
	// A field for one file has the default maximum of texts.
	const maximum = asFiniteNumber(settings.max_length ?? settings.number_limits) ?? 0;
	const maxOfList = maximum > 0 ? maximum : Infinity;
	return {
		...parseFileRules(settings, limits),
		maxFiles: type === 'file' ? 1 : maxOfList,
	};
}

function parseFileRules(settings: JsonRecord, limits: JsonRecord): FileRules {
	return {
		types: getAllowedFileTypes(settings),
		endings: asArray(settings.allowed_file_extensions).map(toEnding),
		methods: asArray(settings.allowed_file_upload_methods),
		imageMethods: [],
		maxFiles: Infinity,
		maxMegabytes: omitUndefined(
			Object.fromEntries(
				FILE_TYPES.map((type) => [type, asFiniteNumber(getOwn(limits, LIMIT_NAMES[type]))]),
			),
		),
	};
}

const toEnding = (value: unknown) =>
	(asString(value) ?? '').trim().toLowerCase().replace(/^\./, '');

const LIMIT_NAMES: Record<DifyFileType, string> = {
	image: 'image_file_size_limit',
	video: 'video_file_size_limit',
	audio: 'audio_file_size_limit',
	document: 'file_size_limit',
	custom: 'file_size_limit',
};

const MEGABYTE = 1024 * 1024;

/** Why a file is not accepted. Its type may be unknown. */
function findObstacle(
	{ name, size, origin }: Pick<UploadCandidate, 'name' | 'size'> & { origin: SentOrigin },
	type: DifyFileType | undefined,
	rules: FileRules,
): FileObstacle | undefined {
	if (type !== undefined && !isAllowed(type, getExtension(name), rules))
		return toKindObstacle(rules);
	const obstacle = findMethodObstacle(type, rules, origin);
	if (obstacle !== undefined) return obstacle;
	const { [type ?? 'custom']: maxMegabytes = Infinity } = rules.maxMegabytes;
	return size > maxMegabytes * MEGABYTE ? { type: 'size', maxMegabytes } : undefined;
}

function findMethodObstacle(
	type: DifyFileType | undefined,
	{ methods, imageMethods }: FileRules,
	origin: SentOrigin,
): FileObstacle | undefined {
	const accepted = type === 'image' && imageMethods.length > 0 ? imageMethods : methods;
	if (accepted.length === 0 || accepted.includes(METHODS[origin])) return undefined;
	return { type: origin === 'upload' ? 'urlsOnly' : 'uploadsOnly' };
}

/** As Dify's `is_file_valid_with_config`: a type that is not allowed may be "custom", by its ending. */
function isAllowed(type: DifyFileType, ending: string, { types, endings }: FileRules) {
	if (types === undefined || (type !== 'custom' && types.includes(type))) return true;
	return types.includes('custom') && endings.includes(ending);
}

const toSentType = (type: DifyFileType, { types }: FileRules): DifyFileType =>
	types === undefined || types.includes(type) ? type : 'custom';

const NAMES: Readonly<Record<string, string>> = {
	image: 'images',
	video: 'videos',
	audio: 'audio',
	document: 'documents',
};

function toKindObstacle({ types = [], endings }: FileRules): FileObstacle {
	const known = types.flatMap((type) => getOwn(NAMES, String(type)) ?? []);
	const custom = types.includes('custom') ? endings.map((ending) => `.${ending}`) : [];
	return { type: 'kind', accepted: [...known, ...custom] };
}

function findExcess(count: number, { maxFiles }: FileRules): FileObstacle | undefined {
	return count < maxFiles ? undefined : { type: 'count', maxFiles };
}

/** The types that the settings of an app or of a form field allow; undefined: any. */
function getAllowedFileTypes(settings: JsonRecord): readonly unknown[] | undefined {
	const types = asArray(settings.allowed_file_types);
	return types.length === 0 ? undefined : types;
}
