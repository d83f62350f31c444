import fc from 'fast-check';

import { sanitizeFileName } from '../../../lib/file-name';
import { baseName, storeFile } from '../../../lib/n8n/binary';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { OperationCall } from '../../../nodes/shared/items/operation';
import { anyCodePoint } from '../../support/texts/code-points';

/** A call whose n8n fails to store after a number of chunks. */
function callOnFullDisk(read: number) {
	const error = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
	const prepareBinaryData = async (source: AsyncIterable<Uint8Array>) => {
		const pieces = source[Symbol.asyncIterator]();
		for (let count = 0; count < read; count++) await pieces.next();
		throw error;
	};
	return {
		error,
		call: {
			context: { helpers: { prepareBinaryData } },
		} as unknown as OperationCall,
	};
}

it.each([1, 2, 5])('a full disk after %d chunks closes the source of the file', async (read) => {
	let source = 'open';
	async function* endless() {
		try {
			for (;;) yield await Promise.resolve(Buffer.alloc(65_536));
		} finally {
			source = 'closed';
		}
	}
	const { call, error } = callOnFullDisk(read);
	const file = { content: endless(), fileName: 'a.wav', mimeType: 'audio/wav' };
	await expect(storeFile(call, 'data', file)).rejects.toBe(error);
	await delay(10);
	expect(source).toBe('closed');
});

describe('a file that is read while it is stored', () => {
	async function* chunks(count: number, end = () => {}) {
		for (let at = 0; at < count; at++) yield await Promise.resolve(Buffer.alloc(100));
		end();
	}
	const store = async (content: AsyncIterable<Uint8Array>) => {
		const prepareBinaryData = async (source: AsyncIterable<Uint8Array>, fileName: string) => {
			await buffer(source);
			return { fileName, mimeType: 'audio/wav' };
		};
		const call = {
			context: { helpers: { prepareBinaryData } },
		} as unknown as OperationCall;
		return await storeFile(call, 'sound', { content, fileName: 'a.wav', mimeType: 'audio/wav' });
	};

	test('is counted', async () => {
		const { binary, facts } = await store(chunks(3));
		expect(Object.keys(binary)).toEqual(['sound']);
		expect(facts).toEqual({ fileName: 'a.wav', mimeType: 'audio/wav', bytes: 300 });
	});

	test.each([0, 1, 5])(
		'is an error, not a shorter file, if it ends early after %d chunks',
		async (count) => {
			const error = new Error('The connection was lost');
			const broken = chunks(count, () => {
				throw error;
			});
			await expect(store(broken)).rejects.toBe(error);
		},
	);
});

test.each([
	['report.html', 'report'],
	['../x/a.b.png', 'a.b'],
	['...', 'file'],
	[' . ', 'file'],
	['Katze 😀 ', 'Katze 😀'],
])('the name %j without its extension is %j', (name, base) => {
	expect(baseName(name, 'file')).toBe(base);
});

const prepareBinaryData = async (_content: Buffer, fileName: string) => ({ fileName });
const call = {
	context: { helpers: { prepareBinaryData } },
} as unknown as OperationCall;

test('n8n and the item get a plain name for any file name', async () => {
	const unsafeNames = ['../../x', '/etc/cron.d/x', '..\\..\\x', 'a\r\nb', 'a\0b', '.profile', ''];
	const part = fc.oneof(
		fc.string({ unit: anyCodePoint }),
		fc.constantFrom(...unsafeNames, '/', '\\', '\n'),
	);
	await fc.assert(
		fc.asyncProperty(
			fc.oneof(
				fc.constantFrom(...unsafeNames),
				fc.array(part).map((parts) => parts.join('')),
			),
			async (fileName) => {
				const file = { content: Buffer.alloc(1), fileName, mimeType: 'text/plain' };
				const { facts, binary } = await storeFile(call, 'data', file);
				expect(facts.fileName).toBe(sanitizeFileName(fileName, 'file'));
				expect(binary.data!.fileName).toBe(facts.fileName);
				expect(facts.fileName).toMatch(/^[^./\\\p{Cc}][^/\\\p{Cc}]*$/u);
			},
		),
	);
});

test('a name that gets an extension keeps it when it is stored', async () => {
	const part = fc.oneof(
		fc.string({ unit: anyCodePoint }),
		fc.constantFrom('.', ' ', '/', '\\', '\0'),
	);
	await fc.assert(
		fc.asyncProperty(fc.array(part), async (parts) => {
			const fileName = `${baseName(parts.join(''), 'file')}.png`;
			const { facts } = await storeFile(call, 'data', {
				content: Buffer.alloc(1),
				fileName,
				mimeType: 'image/png',
			});
			expect(facts.fileName).toMatch(/^[^.].*\.png$/su);
		}),
	);
});
