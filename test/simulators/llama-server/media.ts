/** Images, audio and video in messages (docs/protocols/llama-server.md 5). */
import type { Json } from './chat';
import { invalidRequest, serverError } from './errors';
import type { Settings } from './options';

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** png, jpeg, gif, bmp, RIFF (wav, webp), mp3, flac, mp4. */
const SIGNATURES = [
	'89504e47',
	'ffd8ff',
	'47494638',
	'424d',
	'52494646',
	'494433',
	'fffb',
	'664c6143',
	'0000001866747970',
];

/** Like the server, stops at the first invalid base64 character: the rest of the file is lost. */
const decode = (base64: string): { bytes: Buffer; whole: boolean } => {
	const used = /^[A-Za-z0-9+/]*/.exec(base64)?.[0] ?? '';
	return { bytes: Buffer.from(used, 'base64'), whole: /^=*$/.test(base64.slice(used.length)) };
};

const load = (base64: string): void => {
	const { bytes, whole } = decode(base64);
	const known = SIGNATURES.some((signature) => bytes.toString('hex', 0, 8).startsWith(signature));
	if (!whole || !known) throw invalidRequest('Failed to load image or audio file');
};

/** Downloads nothing: addresses under `.invalid` fail, all others count as loaded. */
const loadUrl = (url: string): void => {
	if (url.startsWith('http')) {
		if (/^https?:\/\/[^/]*\.invalid(?:[:/]|$)/.test(url))
			throw serverError('Failed to download image');
		return;
	}
	if (url.startsWith('file://')) {
		throw invalidRequest('file:// URLs are not allowed unless --media-path is specified');
	}
	if (!url.startsWith('data:')) {
		if (decode(url).bytes.length === 0) throw serverError('Invalid base64 value');
		load(url);
		return;
	}
	const [head = '', data = '', ...more] = url.split(',');
	if (more.length > 0 || !url.includes(','))
		throw invalidRequest('Invalid uri-encoded base64 value');
	if (!/^data:(image|video|audio)\//.test(head))
		throw invalidRequest(`Invalid uri format: ${head}`);
	if (!head.endsWith('base64')) throw invalidRequest('uri must be base64 encoded');
	load(data);
};

const unsupported = (kind: string): Error =>
	serverError(
		`${kind} input is not supported - hint: if this is unexpected, you may need to provide the mmproj`,
	);

/** @throws the server's error for an unusable content part */
export const checkMedia = (
	type: string,
	part: Json,
	settings: Pick<Settings, 'vision' | 'audio' | 'video'>,
): void => {
	const holder = part?.[type];
	const fields = (typeof holder === 'object' && holder !== null ? holder : {}) as Json;
	if (type === 'image_url') {
		if (!settings.vision) throw unsupported('image');
		loadUrl(text(fields.url));
	} else if (type === 'input_audio') {
		if (!settings.audio) throw unsupported('audio');
		loadUrl(text(fields.data) || text(fields.url));
	} else if (type === 'input_video' || type === 'video_url') {
		if (!settings.video) throw unsupported('video');
		loadUrl(text(fields.data) || text(fields.url));
	} else {
		throw invalidRequest('unsupported content[].type');
	}
};
