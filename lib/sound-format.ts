/** What the first bytes of a sound say of its format (the signatures of each format's own standard). */
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
 * The format of spoken words, by their first bytes: Dify calls every sound `audio/mpeg`, also WAV
 * (docs/protocols/dify.md 12.1, section 16). What is not known counts as MP3, whose beginning is not always told by a
 * signature.
 */
export function soundFormat(sound: Uint8Array): { mimeType: string; extension: string } {
	return soundSignature(sound) ?? { mimeType: 'audio/mpeg', extension: 'mp3' };
}

/** The same where the first bytes tell it; undefined where they do not. */
export function soundSignature(sound: Uint8Array): { mimeType: string; extension: string } | undefined {
	const head = String.fromCharCode(...sound.subarray(0, 12));
	const known = FORMATS.find(([signature]) => signature.test(head));
	return known === undefined ? undefined : { mimeType: known[1], extension: known[2] };
}
