import { signedUrl } from './files';
import { invalid, isJson } from './http';
import { workflowBased } from './plain';
import type { Store } from './store';
import type { EndUser, FormField, Json, SimApp } from './types';

export const FILE_TYPES = ['image', 'document', 'audio', 'video', 'custom'];
/** File settings of an app without its own. */
export const DEFAULT_FILES = { types: ['image'], number: 3 };

/** Checks inputs against the app's form (docs/protocols/dify.md 2.1.2), on every turn. */
export function checkInputs(store: Store, app: SimApp, user: EndUser, inputs: Json): Json {
	const checked: Json = {};
	for (const field of app.form ?? []) {
		// A chatbot's form shows its defaults, but only chatflows and workflows use them.
		const fallback = workflowBased(app.mode) ? (field.default ?? null) : null;
		const value = inputs[field.variable] ?? fallback;
		if (value === null && field.required === true)
			throw invalid(`${field.variable} is required in input form`);
		checked[field.variable] = value === null ? null : checkValue(store, app, user, field, value);
	}
	return checked;
}

const CHECKBOX: Record<string, boolean> = { true: true, '1': true, false: false, '0': false };

function checkValue(
	store: Store,
	app: SimApp,
	user: EndUser,
	{ kind, variable, options, allowedTypes }: FormField,
	value: unknown,
): unknown {
	const rejected = (problem: string) => invalid(`${variable} in input form must be ${problem}`);
	switch (kind) {
		case 'text-input':
		case 'paragraph':
			if (typeof value !== 'string')
				throw invalid(`(type '${kind}') ${variable} in input form must be a string`);
			return value;
		case 'select':
			if (!options?.includes(value as string))
				throw rejected(`one of the following: ['${(options ?? []).join("', '")}']`);
			return value;
		case 'number':
			if (!Number.isFinite(Number(value))) throw rejected('a valid number');
			return Number(value);
		case 'checkbox':
			return CHECKBOX[String(value)] ?? value;
		case 'file':
			if (!isJson(value)) throw rejected('a file');
			return resolveFile(store, app, user, value, allowedTypes);
		case 'file-list':
			if (!Array.isArray(value)) throw rejected('a list of files');
			return value.map((file) => resolveFile(store, app, user, file as Json, allowedTypes));
		default:
			return value;
	}
}

/** Checks the `files` of a run (docs/protocols/dify.md 2.1.3). */
export function checkFiles(store: Store, app: SimApp, user: EndUser, files: unknown): Json[] {
	const isChat = app.mode !== 'workflow' && app.mode !== 'completion';
	const { enabled, types = isChat ? DEFAULT_FILES.types : undefined } = app.fileUpload ?? {};
	if (isChat && enabled !== true) return [];
	const sentFiles = Array.isArray(files) ? (files as Json[]) : [];
	return sentFiles.map((file) => resolveFile(store, app, user, file, types));
}

function resolveFile(
	store: Store,
	app: SimApp,
	user: EndUser,
	file: Json,
	allowed: string[] | undefined,
): Json {
	const { transfer_method, type, url, upload_file_id: id } = file;
	const assertAllowed = (name: string) => {
		if (allowed !== undefined && !allowed.includes(String(type)))
			throw invalid(`File validation failed for file: ${name}`);
	};
	const record = { dify_model_identity: '__dify__file__', id: null, type, transfer_method };
	if (transfer_method === 'remote_url') {
		const filename = String(url).split('/').at(-1) ?? '';
		assertAllowed(filename);
		return { ...record, remote_url: url, related_id: null, filename, url };
	}
	const found = store.files.get(String(id));
	if (found === undefined || found.createdBy !== user.id) throw invalid('Invalid upload file');
	assertAllowed(found.name);
	found.attachedTo.add(app.id);
	return {
		...record,
		remote_url: '',
		related_id: id,
		filename: found.name,
		extension: `.${found.extension}`,
		mime_type: found.mimeType,
		size: found.size,
		url: signedUrl(store, found.id),
	};
}
