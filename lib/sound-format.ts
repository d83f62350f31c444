/** Formats of sound by their first bytes (the signatures of each format's standard). */
const FORMATS: ReadonlyArray<readonly [RegExp, mimeType: string, extension: string]> = [
	[/^RIFF[^]{4}WAVE/, 'audio/wav', 'wav'],
	[/^OggS/, 'audio/ogg', 'ogg'],
	[/^fLaC/, 'audio/flac', 'flac'],
	[/^#!AMR/, 'audio/amr', 'amr'],
	[/^[^]{4}ftyp/, 'audio/mp4', 'm4a'],
	[/^[^]E\xdf\xa3/, 'audio/webm', 'webm'],
	[/^\xff[\xf0\xf1\xf8\xf9]/, 'audio/aac', 'aac'],
];

/**
 * The format of speech by its first bytes: Dify labels every sound `audio/mpeg`, also WAV (docs/protocols/dify.md 12.1,
 * section 16). Unknown ones count as MP3, which does not always have a signature.
 */
export function soundFormat(sound: Uint8Array): { mimeType: string; extension: string } {
	return soundSignature(sound) ?? { mimeType: 'audio/mpeg', extension: 'mp3' };
}

/** The same, but undefined for unknown first bytes. */
export function soundSignature(
	sound: Uint8Array,
): { mimeType: string; extension: string } | undefined {
	const head = Buffer.from(sound.subarray(0, 12)).toString('latin1');
	const format = FORMATS.find(([signature]) => signature.test(head));
	return format === undefined ? undefined : { mimeType: format[1], extension: format[2] };
}

const EXTENSIONS: Readonly<Record<string, string>> = {
	'audio/mpeg': 'mp3',
	'audio/mp3': 'mp3',
	'audio/x-mp3': 'mp3',
	'audio/mpga': 'mpga',
	'audio/wav': 'wav',
	'audio/x-wav': 'wav',
	'audio/wave': 'wav',
	'audio/vnd.wave': 'wav',
	'audio/flac': 'flac',
	'audio/x-flac': 'flac',
	'audio/ogg': 'ogg',
	'audio/opus': 'opus',
	'application/ogg': 'ogg',
	'audio/mp4': 'm4a',
	'audio/x-m4a': 'm4a',
	'audio/m4a': 'm4a',
	'audio/aac': 'aac',
	'audio/webm': 'webm',
	'video/webm': 'webm',
	'video/mp4': 'mp4',
	'audio/amr': 'amr',
};

export const SOUND_EXTENSIONS: ReadonlySet<string> = new Set(Object.values(EXTENSIONS));

/** The usual file extension of a sound's MIME type; undefined for an unknown one. */
export function soundExtension(mimeType: string): string | undefined {
	return EXTENSIONS[mimeType.split(';')[0]!.trim().toLowerCase()];
}
