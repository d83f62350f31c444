import { DifyHttpError, PAGES, invalid, truthy } from './http';
import { DEFAULT_FILES } from './inputs';
import { workflowBased } from './plain';
import type { Call, Store } from './store';
import type { EndUser, SimApp, SimFile, UploadPart } from './types';

const AUDIO_MIME = ['audio/mp3', 'audio/m4a', 'audio/wav', 'audio/amr', 'audio/mpga'];

/** Requires a part named `file` (docs/protocols/dify.md 2.9). */
export function onlyPart(call: Call): UploadPart {
	const part = call.request.upload?.parts.find(({ name }) => name === 'file');
	if (part === undefined)
		throw new DifyHttpError(400, 'no_file_uploaded', 'Please upload your file.');
	return part;
}

/** Stores a file as if it had been uploaded. */
export function storeFile(store: Store, user: EndUser, part: UploadPart): SimFile {
	const name = part.filename ?? '';
	const file: SimFile = {
		id: store.newId('file'),
		name,
		size: part.size,
		extension: name.includes('.') ? (name.split('.').at(-1) ?? '').toLowerCase() : '',
		mimeType: part.mimeType ?? 'application/octet-stream',
		createdBy: user.id,
		createdAt: store.now(),
		content: part.content,
		attachedTo: new Set(),
	};
	store.files.set(file.id, file);
	return file;
}

export function uploadFile(call: Call): void {
	const { store, user } = call;
	const file = storeFile(store, user, onlyPart(call));
	call.reply(201, {
		id: file.id,
		name: file.name,
		size: file.size,
		extension: file.extension,
		mime_type: file.mimeType,
		created_by: file.createdBy,
		created_at: file.createdAt,
	});
}

/** A temporary URL that needs no key; it begins with the server's configured address. */
export function signedUrl(store: Store, id: string): string {
	return `${store.filesUrl}/files/${id}/file-preview?timestamp=${store.now()}&nonce=n&sign=s`;
}

/** An upload has no preview before a message uses it (docs/protocols/dify.md 2.9). */
export function previewFile({ store, app, ids, query, res }: Call): void {
	const file = store.files.get(ids[0] ?? '');
	if (file === undefined || !file.attachedTo.has(app.id))
		throw new DifyHttpError(404, 'file_not_found', 'File not found in message context');
	const isAttachment = query.get('as_attachment') === 'true';
	res.writeHead(200, {
		'Content-Type': isAttachment ? 'application/octet-stream' : file.mimeType,
		'Content-Length': String(file.content.length),
		...(isAttachment && {
			'Content-Disposition': `attachment; filename*=UTF-8''${encodeURIComponent(file.name)}`,
		}),
	});
	res.end(file.content);
}

export function audioToText(call: Call): void {
	const { app } = call;
	const { mimeType = '', size } = onlyPart(call);
	if (app.speechToText !== true)
		throw new DifyHttpError(400, 'speech_to_text_disabled', 'Speech to text is disabled.');
	if (!AUDIO_MIME.includes(mimeType))
		throw new DifyHttpError(415, 'unsupported_audio_type', 'Audio type not allowed.');
	call.reply(200, { text: app.heard ?? `heard ${size} bytes` });
}

export function textToAudio({ app, payload, res, reply }: Call): void {
	const message = app.messages.get(String(payload.message_id));
	const text = truthy(payload.message_id) ? message?.answer : String(payload.text);
	if (text === undefined || text === '') return reply(200, null);
	if (app.textToSpeech !== true && !truthy(payload.voice)) throw invalid('TTS is not enabled');
	if (text.trim() === '') {
		// The web server's page: Dify's stream failed before it started.
		res.writeHead(500, { 'Content-Type': 'text/html' }).end(PAGES.gunicorn500);
		return;
	}
	res.writeHead(200, { 'Content-Type': app.speechType ?? 'audio/mpeg' });
	// The first three bytes of an MP3 frame, then the text, so that tests can check it.
	res.end(app.speech ?? Buffer.concat([Buffer.from([0xff, 0xfb, 0x90]), Buffer.from(text)]));
}

/** `/parameters.system_parameters`, in megabytes. */
export const SYSTEM_PARAMETERS = {
	image_file_size_limit: 10,
	file_size_limit: 15,
};

export function fileUploadFeature({ mode, fileUpload = { enabled: false } }: SimApp) {
	const { enabled, types = DEFAULT_FILES.types, number = DEFAULT_FILES.number } = fileUpload;
	const { extensions, methods } = fileUpload;
	return {
		enabled,
		allowed_file_types: types,
		...(extensions === undefined ? {} : { allowed_file_extensions: extensions }),
		...(methods === undefined ? {} : { allowed_file_upload_methods: methods }),
		number_limits: number,
		...(workflowBased(mode) ? {} : { image: { enabled, number_limits: number, detail: 'high' } }),
	};
}
