import { SOUND_EXTENSIONS, soundExtension, soundSignature } from '../sound-format';

export type SoundFormat = 'mp3' | 'wav' | 'flac' | 'opus' | 'aac' | 'pcm';

/** Default sample rate of raw samples, in hertz: that of OpenAI's API, vLLM and Kokoro. */
export const PCM_RATE = 24_000;

/** MIME types that n8n and browsers know. n8n's own OpenAI node says `audio/mp3`, which is not registered. */
const SOUND_TYPES: Readonly<Record<Exclude<SoundFormat, 'pcm'>, string>> = {
	mp3: 'audio/mpeg',
	wav: 'audio/wav',
	flac: 'audio/flac',
	opus: 'audio/ogg',
	aac: 'audio/aac',
};

export interface SoundType {
	mimeType: string;
	extension: string;
}

export function soundType(format: SoundFormat, rate = PCM_RATE): SoundType {
	return format === 'pcm'
		? { mimeType: `audio/L16;rate=${rate};channels=1`, extension: 'pcm' }
		: { mimeType: SOUND_TYPES[format], extension: format };
}

/**
 * Type of a received sound: the one asked for, unless its first bytes say otherwise. Raw samples may begin with any
 * bytes, so where PCM was asked for only a WAV header counts.
 */
export function receivedType(head: Uint8Array, requested: SoundFormat, rate = PCM_RATE): SoundType {
	const actual = soundSignature(head);
	if (actual === undefined) return soundType(requested, rate);
	const { extension } = actual;
	const isRequested = extension === requested || (requested === 'opus' && extension === 'ogg');
	const isChance = requested === 'pcm' && extension !== 'wav';
	return isRequested || isChance ? soundType(requested, rate) : actual;
}

/** Extensions of chat programs and of n8n for which servers know another name. */
const RENAMED: Readonly<Record<string, string>> = { oga: 'ogg', mpga: 'mp3', wave: 'wav' };

/** The name under which a sound is sent: servers look at its extension (whisper.cpp, and all that hand it to ffmpeg). */
export function soundName(name: string, mimeType: string): string {
	const [, base = name, extension = ''] = /^(.*)\.([A-Za-z0-9]{1,5})$/s.exec(name) ?? [];
	const usual = RENAMED[extension.toLowerCase()] ?? extension.toLowerCase();
	if (SOUND_EXTENSIONS.has(usual)) return `${base}.${usual}`;
	const byType = soundExtension(mimeType);
	const saysNothing = usual === '' || usual === 'bin' || usual === 'tmp';
	return byType !== undefined && saysNothing ? `${base}.${byType}` : name;
}
