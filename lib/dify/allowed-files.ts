/** Which files an app or a field of its form accepts (docs/protocols/dify.md 2.1.3, 2.9). */
import type { UnsentFile } from '../unsent-files';
import { asFiniteNumber } from '../values/numbers';
import type { JsonRecord } from '../values/records';
import { asArray, asRecord, asString } from '../values/records';
import type { DifyFileType } from './file-types';
import { detectMediaType, getExtension } from './file-types';
import { createLocalError } from './create-error';
import { getOwn } from '../values/own-properties';

/** A file that would be uploaded. */
export interface UploadCandidate {
	name: string;
	mimeType: string;
	/** Bytes. */
	size: number;
}

/** The upload settings of an app. */
interface UploadRules {
	isEnabled: boolean;
	/** Default: all. */
	types: readonly unknown[] | undefined;
	/** Endings of files of the type "custom", in lower case and without a dot; empty: any. */
	endings: readonly string[];
	/** Whether Dify accepts an upload of images, and of other files; otherwise it accepts only URLs. */
	acceptsUpload(type: DifyFileType): boolean;
	/** Files per message. */
	maxFiles: number;
	/** Megabytes of a file. */
	getMaxMegabytes(type: DifyFileType): number;
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
	const rules = parseRules(parameters);
	const selection: FileSelection<T> = { allowed: [], unsent: [] };
	for (const file of files) {
		const type = getType(file);
		const reason = getObstacle(file, type, rules) ?? getExcess(selection.allowed.length, rules);
		if (reason === undefined) selection.allowed.push({ file, type: toSentType(type, rules) });
		else selection.unsent.push({ name: file.name, reason });
	}
	return selection;
}

/** Dify's own list for documents; other endings are "custom" for it, like those of archives. */
const DOCUMENT_ENDINGS: ReadonlySet<string> = new Set(
	'txt markdown md mdx pdf html htm xlsx xls vtt properties doc docx csv eml msg ppt pptx xml epub'.split(
		' ',
	),
);

function getType({ name, mimeType }: UploadCandidate): DifyFileType {
	const extension = getExtension(name);
	return (
		detectMediaType({ extension, mimeType }) ??
		(DOCUMENT_ENDINGS.has(extension) ? 'document' : 'custom')
	);
}

const UPLOAD = 'local_file';

function parseRules(parameters: JsonRecord): UploadRules {
	const upload = asRecord(parameters.file_upload);
	const limits = asRecord(parameters.system_parameters);
	const methods = asArray(upload.allowed_file_upload_methods);
	const imageMethods = asArray(asRecord(upload.image).transfer_methods);
	return {
		isEnabled: upload.enabled === true,
		types: getAllowedFileTypes(upload),
		endings: asArray(upload.allowed_file_extensions).map(toEnding),
		acceptsUpload: (type) => {
			const accepted = type === 'image' && imageMethods.length > 0 ? imageMethods : methods;
			return accepted.length === 0 || accepted.includes(UPLOAD);
		},
		maxFiles: asFiniteNumber(upload.number_limits) ?? Infinity,
		getMaxMegabytes: (type) => asFiniteNumber(getOwn(limits, LIMIT_NAMES[type])) ?? Infinity,
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

/** Why the app does not accept a file. */
function getObstacle(
	{ name, size }: UploadCandidate,
	type: DifyFileType,
	rules: UploadRules,
): string | undefined {
	if (!rules.isEnabled) return 'file upload is disabled in the app';
	if (!isAllowed(type, getExtension(name), rules)) return describeTypes(rules);
	if (!rules.acceptsUpload(type)) return 'the app accepts files only as URLs';
	const maxMegabytes = rules.getMaxMegabytes(type);
	return size > maxMegabytes * MEGABYTE ? `it exceeds the limit of ${maxMegabytes} MB` : undefined;
}

/** As Dify's `is_file_valid_with_config`: a type that is not allowed may be "custom", by its ending. */
function isAllowed(type: DifyFileType, ending: string, { types, endings }: UploadRules) {
	if (types === undefined || (type !== 'custom' && types.includes(type))) return true;
	return types.includes('custom') && endings.includes(ending);
}

const toSentType = (type: DifyFileType, { types }: UploadRules): DifyFileType =>
	types === undefined || types.includes(type) ? type : 'custom';

const NAMES: Readonly<Record<string, string>> = {
	image: 'images',
	video: 'videos',
	audio: 'audio',
	document: 'documents',
};

function describeTypes({ types = [], endings }: UploadRules) {
	const known = types.flatMap((type) => getOwn(NAMES, String(type)) ?? []);
	const custom = types.includes('custom') ? endings.map((ending) => `.${ending}`) : [];
	return `the app accepts only ${LIST.format([...known, ...custom])}`;
}

const LIST = new Intl.ListFormat('en');

function getExcess(count: number, { maxFiles }: UploadRules): string | undefined {
	return count < maxFiles ? undefined : `the app accepts ${maxFiles} per message`;
}

/** The types that the settings of an app or of a form field allow; undefined: any. */
export function getAllowedFileTypes(settings: JsonRecord): readonly unknown[] | undefined {
	const types = asArray(settings.allowed_file_types);
	return types.length === 0 ? undefined : types;
}

/**
 * File types that an app accepts.
 *
 * @throws {ServerError} if it accepts none: Dify would silently drop the files
 */
export function getAppFileTypes(parameters: JsonRecord): readonly unknown[] | undefined {
	const upload = asRecord(parameters.file_upload);
	if (upload.enabled === true) return getAllowedFileTypes(upload);
	throw createLocalError('appFeatureDisabled', {
		title: 'File upload is disabled in the app, so Dify would ignore the files',
		suggestion:
			'Enable file upload in the app in Dify and publish it, or remove the files in the node.',
	});
}
