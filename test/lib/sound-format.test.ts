import * as fc from 'fast-check';
import { soundFormat } from '../../lib/sound-format';

describe('what the events mean', () => {
	describe('case 59: speech', () => {
		test('what the bytes are, not what Dify calls them', () => {
			const format = (head: string) => soundFormat(Buffer.from(head, 'latin1')).extension;
			expect(format('RIFF\x24\x08\0\0WAVEfmt ')).toBe('wav');
			expect(soundFormat(Buffer.from('RIFF\n\r\0\0WAVEfmt ')).mimeType).toBe('audio/wav');
			expect(['OggS\0', 'fLaC', '#!AMR\n', '\0\0\0 ftypM4A ', '\xff\xf1P'].map(format)).toEqual([
				'ogg',
				'flac',
				'amr',
				'm4a',
				'aac',
			]);
			expect(['ID3\x04', '\xff\xfb\x90', '', 'RIFFxxxxAVI '].map(format)).toEqual([
				'mp3',
				'mp3',
				'mp3',
				'mp3',
			]);
			fc.assert(
				fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) =>
					soundFormat(bytes).mimeType.startsWith('audio/'),
				),
			);
		});
	});
});
