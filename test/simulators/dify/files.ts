import { DifyHttpError, PAGES, invalid, truthy } from './http';
import { DEFAULT_FILES } from './inputs';
import { workflowBased } from './plain';
import type { Call, Store } from './store';
import type { EndUser, SimApp, SimFile, UploadPart } from './types';

const MEGABYTE = 1024 * 1024;
const KINDS: Record<'image' | 'video' | 'audio', string[]> = {
	image: ['jpg', 'jpeg', 'png', 'webp', 'gif', 'svg'],
	video: ['mp4', 'mov', 'mpeg', 'webm'],
	audio: ['mp3', 'm4a', 'wav', 'amr', 'mpga'],
};
const AUDIO_MIME = ['audio/mp3', 'audio/m4a', 'audio/wav', 'audio/amr', 'audio/mpga'];
const AUDIO_MOST = 30 * MEGABYTE;

function limitOf(store: Store, extension: string): number {
	const { limits } = store.options;
	for (const kind of ['image', 'video', 'audio'] as const) {
		if (KINDS[kind].includes(extension)) return limits[kind] * MEGABYTE;
	}
	return limits.other * MEGABYTE;
}

/** Requires exactly one part, named `file` (docs/protocols/dify.md 2.9). */
export function onlyPart(call: Call): UploadPart {
	const parts = call.request.upload?.parts ?? [];
	const part = parts.find((each) => each.name === 'file');
	if (part === undefined)
		throw new DifyHttpError(400, 'no_file_uploaded', 'Please upload your file.');
	// The framework counts names, so it ignores a second part of the same name.
	if (parts.some((each) => each.name !== 'file'))
		throw new DifyHttpError(400, 'too_many_files', 'Only one file is allowed.');
	if (part.filename === undefined || part.filename === '') {
		throw new DifyHttpError(
			400,
			'filename_not_exists_error',
			'The specified filename does not exist.',
		);
	}
	if (part.mimeType === undefined)
		throw new DifyHttpError(415, 'unsupported_file_type', 'File type not allowed.');
	return part;
}

/** Stores a file as if it had been uploaded. */
export function storeFile(store: Store, user: EndUser, part: UploadPart): SimFile {
	const name = part.filename ?? '';
	const extension = name.includes('.') ? (name.split('.').at(-1) ?? '').toLowerCase() : '';
	const forbidden = /[/\\]/;
	if (forbidden.test(name)) throw invalid('Filename contains invalid characters');
	if (part.size > limitOf(store, extension)) {
		// Dify's bugs: an unfilled template, or an empty text.
		const text = '';
		throw new DifyHttpError(413, 'file_too_large', text);
	}
	const file: SimFile = {
		id: store.newId('file'),
		name,
		size: part.size,
		extension,
		mimeType: part.mimeType ?? 'application/octet-stream',
		createdBy: user.id,
		createdAt: store.now(),
		content: part.content,
		sha256: part.sha256,
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
		preview_url: null,
		source_url: signedUrl(store, file.id),
		original_url: null,
		user_id: null,
		tenant_id: store.newId('tenant'),
		conversation_id: null,
		file_key: null,
		reference: null,
	});
}

/** A temporary URL that needs no key; it begins with the server's configured address. */
export function signedUrl(store: Store, id: string): string {
	return `${store.options.filesUrl}/files/${id}/file-preview?timestamp=${store.now()}&nonce=n&sign=s`;
}

/** An upload has no preview before a message uses it (docs/protocols/dify.md 2.9). */
export function previewFile(call: Call): void {
	const { store, app, ids, query, res } = call;
	const file = store.files.get(ids[0] ?? '');
	if (file === undefined || file.attachedTo.size === 0) {
		throw new DifyHttpError(404, 'file_not_found', 'File not found in message context');
	}
	if (!file.attachedTo.has(app.id)) {
		throw new DifyHttpError(
			403,
			'file_access_denied',
			'File access denied: not owned by requesting app',
		);
	}
	const attachment = query.get('as_attachment') === 'true' || file.mimeType === 'text/html';
	const headers: Record<string, string> = {
		'Content-Type': attachment ? 'application/octet-stream' : file.mimeType,
		'Content-Length': String(file.content.length),
		'Cache-Control': 'public, max-age=3600',
	};
	if (/^(?:audio|video)\//.test(file.mimeType)) headers['Accept-Ranges'] = 'bytes';
	if (attachment)
		headers['Content-Disposition'] =
			`attachment; filename*=UTF-8''${encodeURIComponent(file.name)}`;
	res.writeHead(200, headers);
	res.end(file.content);
}

export function audioToText(call: Call): void {
	const { app, request } = call;
	const part = request.upload?.parts.find((each) => each.name === 'file');
	if (part === undefined) {
		const text = 'The browser (or proxy) sent a request that this server could not understand.';
		throw new DifyHttpError(400, 'bad_request_key_error', text);
	}
	if (app.speechToText !== true) {
		const message = 'Speech to text is disabled.';
		throw new DifyHttpError(400, 'speech_to_text_disabled', message);
	}
	if (!AUDIO_MIME.includes(part.mimeType ?? '')) {
		throw new DifyHttpError(415, 'unsupported_audio_type', 'Audio type not allowed.');
	}
	if (part.size > AUDIO_MOST)
		throw new DifyHttpError(413, 'audio_too_large', 'Audio size larger than 30 mb');
	call.reply(200, { text: app.heard ?? `heard ${part.size} bytes` });
}

/** The first three bytes of an MP3 frame, then the text, so that tests can check it. */
export function speechOf(text: string): Buffer {
	return Buffer.concat([Buffer.from([0xff, 0xfb, 0x90]), Buffer.from(text)]);
}

export function textToAudio(call: Call): void {
	const { app, payload, res } = call;
	const known = truthy(payload.message_id)
		? app.messages.get(String(payload.message_id))
		: undefined;
	if (truthy(payload.message_id)) {
		if (known === undefined || known.answer === '') {
			call.reply(200, null);
			return;
		}
	} else if (!truthy(payload.text)) {
		throw invalid('Text is required');
	}
	if (app.textToSpeech !== true && !truthy(payload.voice)) throw invalid('TTS is not enabled');
	if (known === undefined && String(payload.text).trim() === '') {
		// The web server's page: Dify's stream failed before it started.
		res.removeHeader('X-Version');
		res.removeHeader('X-Env');
		res.writeHead(500, { 'Content-Type': 'text/html', 'Content-Length': PAGES.gunicorn500.length });
		res.end(PAGES.gunicorn500);
		return;
	}
	res.writeHead(200, { 'Content-Type': 'audio/mpeg' });
	res.end(app.speech ?? speechOf(known?.answer ?? String(payload.text)));
}

/** `/parameters.system_parameters`. */
export function systemParameters(store: Store): Record<string, number> {
	const { limits } = store.options;
	return {
		image_file_size_limit: limits.image,
		video_file_size_limit: limits.video,
		audio_file_size_limit: limits.audio,
		file_size_limit: limits.other,
		workflow_file_upload_limit: 10,
	};
}

export function fileUploadFeature(app: SimApp): Record<string, unknown> {
	const {
		enabled = false,
		types = DEFAULT_FILES.types,
		number = DEFAULT_FILES.number,
	} = app.fileUpload ?? {};
	const transfer = ['local_file', 'remote_url'];
	const image = { enabled, number_limits: number, transfer_methods: transfer, detail: 'high' };
	if (app.mode === 'agent' && app.fileUpload === undefined) return { image };
	return {
		enabled,
		allowed_file_types: types,
		allowed_file_extensions: app.fileUpload?.extensions ?? [],
		allowed_file_upload_methods: transfer,
		number_limits: number,
		...(workflowBased(app.mode) ? {} : { image }),
		fileUploadConfig: {
			audio_file_size_limit: 50,
			batch_count_limit: 5,
			file_size_limit: 15,
			image_file_size_limit: 10,
			video_file_size_limit: 100,
			workflow_file_upload_limit: 10,
		},
	};
}
