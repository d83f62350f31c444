/** The name, type and size of any binary field, and its bytes; and names of files that are stored. */
import type { IBinaryData, IExecuteFunctions } from 'n8n-workflow';

import {
	baseName,
	createFileSource,
	getBinaryFileName,
	openBinaryField,
	splitNames,
	storeFile,
} from '../../../lib/n8n/binary';
import { expectApproved } from '../../support/approved/approved-table';
import { awaitOutcome } from '../../support/approved/outcome';
import { Readable } from 'node:stream';
import path from 'node:path';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const PNG = Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1').toString('base64');

const FIELDS: Readonly<Record<string, Partial<IBinaryData>>> = {
	usual: { data: base64('hello'), fileName: 'a.txt', mimeType: 'text/plain', fileExtension: 'txt' },
	'without a name': { data: base64('hello'), mimeType: 'text/plain', fileExtension: 'txt' },
	'without a name and an ending': { data: base64('hello'), mimeType: 'text/plain' },
	'a blank name': {
		data: base64('hello'),
		fileName: ' ',
		mimeType: 'text/plain',
		fileExtension: 'txt',
	},
	'without a type': { data: base64('hello'), fileName: 'a.txt' },
	'a type of its own': { data: `data:text/csv;base64,${base64('a,b')}`, fileName: 'a' },
	'an image that is called text': { data: PNG, fileName: 'a.txt', mimeType: 'text/plain' },
	'a text that is called an image': {
		data: base64('hello'),
		fileName: 'a.png',
		mimeType: 'image/png',
	},
	empty: { data: '', fileName: 'a.txt', mimeType: 'text/plain' },
	'no base64': { data: 'not base64!', fileName: 'a.txt', mimeType: 'text/plain' },
	stored: { data: 'filesystem-v2', id: 'store:5', fileName: 'a.txt', mimeType: 'text/plain' },
	'stored and empty': { data: '', id: 'store:0', fileName: 'a.txt', mimeType: 'text/plain' },
	'stored and gone': { data: '', id: 'gone:1', fileName: 'a.txt', mimeType: 'text/plain' },
};

const toContext = (
	binary: Record<string, Partial<IBinaryData>>,
	stored: unknown[] = [],
): IExecuteFunctions =>
	({
		getInputData: () => [{ json: {}, binary }],
		helpers: {
			assertBinaryData: (_itemIndex: number, property: string) => {
				if (!(property in binary)) throw new Error('missing');
				return binary[property];
			},
			getBinaryMetadata: async (id: string) => {
				if (id.startsWith('gone')) throw new Error('ENOENT');
				return { fileSize: Number(id.split(':')[1]) };
			},
			getBinaryStream: async (id: string) =>
				Readable.from(['x'.repeat(Number(id.split(':')[1]))].map((text) => Buffer.from(text))),
			prepareBinaryData: async (
				content: Buffer | AsyncIterable<Uint8Array>,
				fileName: string,
				mimeType: string,
			) => {
				if (!Buffer.isBuffer(content)) for await (const chunk of content) stored.push(chunk);
				return { fileName, mimeType };
			},
		},
	}) as unknown as IExecuteFunctions;

test('each field, and one that is missing', async () => {
	const rows = [];
	for (const [input, field] of Object.entries(FIELDS)) {
		const context = toContext({ photo: field });
		const outcome = await awaitOutcome(async () => {
			const { open, ...file } = await openBinaryField(context, 0, 'photo');
			const { open: _open, ...source } = await createFileSource(context, 0, 'photo');
			const chunks: Buffer[] = [];
			for await (const chunk of open()) chunks.push(Buffer.from(chunk));
			return [file, source, Buffer.concat(chunks).byteLength];
		});
		rows.push({ input, outcome });
	}
	const others: Record<string, Record<string, object>> = {
		'no files': {},
		'other files': { data: {}, other: {} },
	};
	for (const [input, binary] of Object.entries(others))
		rows.push({
			input,
			outcome: await awaitOutcome(async () => await openBinaryField(toContext(binary), 0, 'photo')),
		});
	for (const name of [
		'a.txt',
		'a',
		'../a.txt',
		'a.b.c',
		'a.toolongext',
		'',
		'.txt',
		'con.txt',
		'a/b.png',
	])
		rows.push({ input: `base name of "${name}"`, outcome: baseName(name, 'fallback') });
	for (const names of ['', 'a', ' a , b ,, c '])
		rows.push({ input: `names in "${names}"`, outcome: splitNames(names) });
	for (const property of ['photo', 'other', '__proto__'])
		rows.push({
			input: `file name of ${property}`,
			outcome: getBinaryFileName(
				{ context: toContext({ photo: { fileName: 'a.txt' } }), itemIndex: 0 },
				property,
			),
		});
	for (const [fileName, field] of [
		['a.txt', 'out'],
		['../a/b.txt', '__proto__'],
		['', 'out'],
	] as const) {
		const chunks = Readable.from([Buffer.from('abc'), Buffer.from('de')]);
		rows.push({
			input: `stored as "${fileName}" in "${field}"`,
			outcome: await awaitOutcome(
				async () =>
					await storeFile({ context: toContext({}) }, field, {
						content: chunks,
						fileName,
						mimeType: 'text/plain',
					}),
			),
		});
	}
	expectApproved(
		path.join(__dirname, 'binary.any-file.approved.txt'),
		rows,
		'A binary field is read with its name, type and size',
	);
});
