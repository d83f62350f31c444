import { signedUrl } from './files';
import { crashed, invalid, isJson, isUuid, pythonRepr, runCrashed } from './http';
import { workflowBased } from './plain';
import type { Store } from './store';
import type { EndUser, FormField, Json, SimApp } from './types';

export const FILE_TYPES = ['image', 'document', 'audio', 'video', 'custom'];
const TRANSFER_METHODS = ['remote_url', 'local_file', 'tool_file'];
/** File settings of an app without its own. */
export const DEFAULT_FILES = { types: ['image'], number: 3 };

/** Checks inputs against the app's form (docs/protocols/dify.md 2.1.2), on every turn. */
export function checkInputs(store: Store, app: SimApp, user: EndUser, inputs: Json): Json {
	const checked: Json = {};
	for (const field of app.form ?? []) {
		const value = inputs[field.variable];
		if (value === undefined || value === null) {
			if (field.required === true) throw invalid(`${field.variable} is required in input form`);
			// A chatbot's form shows its defaults, but only chatflows and workflows use them.
			const usual = workflowBased(app.mode) ? field.default : undefined;
			checked[field.variable] = usual ?? null;
			if (usual === undefined || usual === null) continue;
		}
		checked[field.variable] = checkValue(store, app, user, field, value ?? field.default);
	}
	return checked;
}

const CHECKBOX: Record<string, boolean> = {
	true: true,
	'1': true,
	yes: true,
	on: true,
	false: false,
	'0': false,
	no: false,
	off: false,
};

function checkValue(
	store: Store,
	app: SimApp,
	user: EndUser,
	field: FormField,
	value: unknown,
): unknown {
	const name = field.variable;
	switch (field.kind) {
		case 'text-input':
		case 'paragraph':
			if (typeof value !== 'string')
				throw invalid(`(type '${field.kind}') ${name} in input form must be a string`);
			if (field.maxLength !== undefined && [...value].length > field.maxLength) {
				throw invalid(`${name} in input form must be less than ${field.maxLength} characters`);
			}
			return value;
		case 'select':
			if (!field.options?.includes(value as string)) {
				throw invalid(
					`${name} in input form must be one of the following: ${pythonRepr(field.options ?? [])}`,
				);
			}
			return value;
		case 'number':
			return checkNumber(name, value);
		case 'checkbox':
			return typeof value === 'string' || typeof value === 'number'
				? (CHECKBOX[String(value)] ?? value)
				: value;
		case 'json_object':
			if (value !== '' && !isJson(value)) throw invalid(`${name} in input form must be a dict`);
			return value;
		case 'external_data_tool':
			throw crashed();
		case 'file':
			if (value === '' && field.required !== true) return null;
			if (!isJson(value)) throw invalid(`${name} in input form must be a file`);
			return resolveFile(store, app, user, value, field.allowedTypes, true);
		case 'file-list': {
			if (value === '' && field.required !== true) return null;
			if (!Array.isArray(value) || !value.every(isJson))
				throw invalid(`${name} in input form must be a list of files`);
			if (field.maxLength !== undefined && value.length > field.maxLength) {
				throw invalid(`${name} in input form must be less than ${field.maxLength} files`);
			}
			return value.map((each) => resolveFile(store, app, user, each, field.allowedTypes, true));
		}
	}
}

function checkNumber(name: string, value: unknown): unknown {
	if (typeof value === 'number') return value;
	if (typeof value === 'boolean') return value ? 1 : 0;
	if (typeof value !== 'string') throw runCrashed();
	if (value.trim() === '') return null;
	const parsed = Number(value);
	if (!Number.isFinite(parsed)) throw invalid(`${name} in input form must be a valid number`);
	return parsed;
}

/**
 * Checks the `files` of a run (docs/protocols/dify.md 2.1.3). Like Dify, silently drops malformed ones.
 */
export function checkFiles(store: Store, app: SimApp, user: EndUser, files: unknown): Json[] {
	const chat = app.mode !== 'workflow' && app.mode !== 'completion';
	if (chat && app.fileUpload?.enabled !== true) return [];
	const usable = (Array.isArray(files) ? files.filter(isJson) : []).filter(
		(file) =>
			file.transfer_method !== undefined &&
			(file.transfer_method !== 'remote_url' || Boolean(file.url)),
	);
	const maxFiles = app.fileUpload?.number ?? DEFAULT_FILES.number;
	const images = usable.filter((file) => file.type === 'image').length;
	if (images > maxFiles)
		throw invalid(`Number of image files exceeds the maximum limit ${maxFiles}`);
	if (usable.length > maxFiles)
		throw invalid(`Number of files exceeds the maximum limit ${maxFiles}`);
	return usable.map((file) =>
		resolveFile(
			store,
			app,
			user,
			file,
			app.fileUpload?.types ?? (chat ? DEFAULT_FILES.types : undefined),
		),
	);
}

function resolveFile(
	store: Store,
	app: SimApp,
	user: EndUser,
	file: Json,
	allowed: string[] | undefined,
	inForm = false,
): Json {
	if (inForm && file.transfer_method === undefined)
		throw invalid('transfer_method is required in file mapping');
	for (const [word, known, name] of [
		[file.transfer_method, TRANSFER_METHODS, 'FileTransferMethod'],
		[file.type, FILE_TYPES, 'FileType'],
	] as const) {
		if (typeof word !== 'string' || !known.includes(word)) {
			throw invalid(`${pythonRepr(word)} is not a valid ${name}`);
		}
	}
	const type = String(file.type);
	if (file.transfer_method === 'remote_url') {
		const url = String(file.url);
		const name = url.split('/').at(-1) ?? url;
		if (!inForm && !url.startsWith('http')) throw invalid('Invalid file url');
		if (allowed !== undefined && !allowed.includes(type))
			throw invalid(`File validation failed for file: ${name}`);
		return fileRecord({
			type,
			transfer_method: 'remote_url',
			remote_url: url,
			related_id: null,
			filename: name,
			url,
		});
	}
	const id = file.upload_file_id;
	if (typeof id !== 'string' || !isUuid(id)) throw invalid('Invalid upload file id format');
	const found = store.files.get(id);
	// 1.12 checks the workspace only, newer versions the uploader (docs/protocols/dify.md 2.1.3).
	if (found === undefined || found.createdBy !== user.id) throw invalid('Invalid upload file');
	if (allowed !== undefined && !allowed.includes(type))
		throw invalid(`File validation failed for file: ${found.name}`);
	if (app.mode === 'workflow' && type !== 'custom' && type !== typeOfMime(found.mimeType)) {
		throw invalid('Detected file type does not match the specified type. Please verify the file.');
	}
	found.attachedTo.add(app.id);
	return fileRecord({
		type,
		transfer_method: 'local_file',
		...localFile(id),
		related_id: id,
		filename: found.name,
		extension: `.${found.extension}`,
		mime_type: found.mimeType,
		size: found.size,
		url: signedUrl(store, id),
	});
}

function fileRecord(own: Json): Json {
	return { dify_model_identity: '__dify__file__', id: null, ...own };
}

function localFile(id: string): Json {
	const reference = Buffer.from(JSON.stringify({ record_id: id })).toString('base64');
	return { remote_url: '', reference: `dify-file-ref:${reference}` };
}

function typeOfMime(mime: string): string {
	const family = mime.split('/')[0] ?? '';
	return ['image', 'audio', 'video'].includes(family) ? family : 'document';
}
