import * as fc from 'fast-check';

import { imageFacts } from '../../../lib/media/image-data';
import { readImages } from '../../../lib/media/read-images';
import { PNG } from '../../servers/media/sd-server';

const JPEG = '/9j/4AAQSkZJRgABAQAAAQABAAD';

describe('every form of an answer with pictures', () => {
	test.each<[string, unknown, unknown]>([
		['OpenAI', { data: [{ b64_json: PNG }] }, [{ base64: PNG }]],
		[
			'with a data prefix',
			{ data: [{ b64_json: `data:image/png;base64,${PNG}` }] },
			[{ base64: PNG }],
		],
		[
			'with a prefix in url (llama-box)',
			{ data: [{ url: `data:image/png;base64,${PNG}` }] },
			[{ base64: PNG }],
		],
		['an address', { data: [{ url: 'http://h/a.png' }] }, [{ url: 'http://h/a.png' }]],
		[
			'a relative one (LocalAI)',
			{ data: [{ url: '/generated-images/a.png', b64_json: null }] },
			[{ url: '/generated-images/a.png' }],
		],
		['the WebUI form', { images: [PNG, JPEG], info: '' }, [{ base64: PNG }, { base64: JPEG }]],
		[
			'addresses in a bare list',
			['/files/a.webp', JPEG],
			[{ url: '/files/a.webp' }, { base64: JPEG }],
		],
		['one picture that is no list', { data: { b64_json: PNG } }, [{ base64: PNG }]],
		[
			'what else is told',
			{ data: [{ b64_json: PNG, revised_prompt: 'a cat', seed: 7 }] },
			[{ base64: PNG, revisedPrompt: 'a cat', seed: 7 }],
		],
		['nothing in it', { data: [{ b64_json: '' }, null, {}] }, []],
		['no pictures at all', { error: 'x' }, undefined],
	])('%s', (_name, json, expected) => {
		expect(readImages(json)).toEqual(expected);
	});

	test('whatever comes is read or refused, never thrown over', () => {
		fc.assert(
			fc.property(fc.jsonValue(), (json) => {
				expect(() => readImages(json)).not.toThrow();
			}),
		);
		fc.assert(
			fc.property(fc.jsonValue(), (data) => {
				expect(() => readImages({ data: [data], images: data })).not.toThrow();
			}),
		);
	});
});

describe('pictures by their first bytes', () => {
	test.each<[string, string, object]>([
		['PNG', PNG, { mimeType: 'image/png', extension: 'png', width: 1, height: 1 }],
		[
			'JPEG',
			Buffer.from('ffd8ffe000040000ffc0000b080010002001011100', 'hex').toString('base64'),
			{ mimeType: 'image/jpeg', extension: 'jpg', width: 32, height: 16 },
		],
		[
			'GIF',
			Buffer.from('GIF89a\x20\0\x10\0', 'latin1').toString('base64'),
			{ mimeType: 'image/gif', extension: 'gif', width: 32, height: 16 },
		],
		[
			'WebP',
			Buffer.concat([
				Buffer.from('RIFF\0\0\0\0WEBPVP8X\n\0\0\0\0\0\0\0', 'latin1'),
				Buffer.from([31, 0, 0, 15, 0, 0]),
			]).toString('base64'),
			{ mimeType: 'image/webp', extension: 'webp', width: 32, height: 16 },
		],
	])('%s', (_name, base64, facts) => {
		expect(imageFacts(Buffer.from(base64, 'base64'))).toEqual(facts);
	});

	test('cut off anywhere they tell less, and never fail', () => {
		const whole = Buffer.from(PNG, 'base64');
		fc.assert(
			fc.property(fc.nat(whole.length), (length) => void imageFacts(whole.subarray(0, length))),
		);
		fc.assert(
			fc.property(
				fc.constantFrom('\xff\xd8\xff', 'RIFF....WEBP', 'GIF8'),
				fc.uint8Array(),
				(start, bytes) => void imageFacts(Buffer.concat([Buffer.from(start, 'latin1'), bytes])),
			),
		);
		expect(imageFacts(Buffer.from('{"error":1}'))).toBeUndefined();
	});
});
