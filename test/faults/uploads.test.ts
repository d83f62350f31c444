/** Whatever operation sends a file: its name and type follow from its bytes, and have an ending. */
import { getErrorMessage } from '../../lib/values/text';
import { useClock } from '../guarantees/support/fake-clock';
import { takeSome } from '../support/jest/properties';
import { startGoodServer } from './good-server';
import type { Received } from './good-server';
import { createCredential, expectNoProblems, passUntilEnded, runAlone } from './harness';
import { listOperations } from './operations';
import type { UploadedFile } from './operations';

interface Row {
	title: string;
	file: UploadedFile;
	/** Part of the form. */
	sent: { fileName: string; mimeType: string };
	/** Names for operations whose servers know another one. */
	renamed?: Record<string, string>;
	/** Types for operations that name the type in another way. */
	retyped?: Record<string, string>;
	/** Operations that reject the file before it is sent. */
	rejectedBy?: readonly string[];
}

const TRANSCRIBE = 'Local Llama audio transcribe';
const DIFY_TRANSCRIBE = 'Dify Apps audio transcribe';
/** It takes images only. */
const EDIT = 'Local Llama image edit';

/** Operations whose file replaces a document, or becomes one. */
const KNOWLEDGE = [
	'Dify Knowledge document sync',
	'Dify Knowledge document upsertFile',
	'Dify Knowledge pipeline run',
];

/** Operations whose file is part of a form; files of messages and of input forms go through `Dify Apps file upload`. */
const SENDERS = [TRANSCRIBE, DIFY_TRANSCRIBE, EDIT, 'Dify Apps file upload', ...KNOWLEDGE];

const ROWS: readonly Row[] = [
	{
		title: 'a voice note of a messenger',
		file: {
			bytes: Buffer.from('OggS\0\x02\0\0\0\0\0\0\0\0OpusHead', 'latin1'),
			fileName: 'PTT-1.opus',
			mimeType: 'application/octet-stream',
		},
		sent: { fileName: 'PTT-1.opus', mimeType: 'audio/ogg' },
		// Servers go by the ending, and know Opus only as Ogg.
		renamed: { [TRANSCRIBE]: 'PTT-1.ogg' },
		// Dify accepts no Ogg by its type, and passes the bytes on whatever their type is.
		retyped: { [DIFY_TRANSCRIBE]: 'audio/mp3' },
	},
	{
		title: 'the recording of a phone under another name',
		file: {
			bytes: Buffer.from('\0\0\0 ftypM4A \0\0\0\0', 'latin1'),
			fileName: 'voice.ogg',
			mimeType: 'audio/ogg',
		},
		sent: { fileName: 'voice.m4a', mimeType: 'audio/mp4' },
		// Dify wants the ending as the subtype.
		retyped: { [DIFY_TRANSCRIBE]: 'audio/m4a' },
	},
	{
		title: 'a download whose ending n8n has apart',
		file: {
			bytes: Buffer.from('name;city\nAnna;Berlin\n'),
			fileName: 'download',
			fileExtension: 'csv',
			mimeType: 'text/csv',
		},
		sent: { fileName: 'download.csv', mimeType: 'text/csv' },
		rejectedBy: [TRANSCRIBE, DIFY_TRANSCRIBE],
	},
	{
		title: 'a name with a folder and quotation marks',
		file: {
			bytes: Buffer.from('ID3\x04\0\0\0', 'latin1'),
			fileName: 'a/b "c".mp3',
			mimeType: 'audio/mpeg',
		},
		sent: { fileName: 'a_b _c_.mp3', mimeType: 'audio/mpeg' },
		retyped: { [DIFY_TRANSCRIBE]: 'audio/mp3' },
	},
	{
		title: 'a document under the name of a recording',
		file: {
			bytes: Buffer.from('%PDF-1.7\n'),
			fileName: 'talk.mp3',
			mimeType: 'audio/mpeg',
		},
		sent: { fileName: 'talk.pdf', mimeType: 'application/pdf' },
		rejectedBy: [TRANSCRIBE, DIFY_TRANSCRIBE],
	},
	{
		title: 'the error of a download under the name of a recording',
		file: {
			bytes: Buffer.from('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'),
			fileName: 'call.mp3',
			mimeType: 'audio/mpeg',
		},
		sent: { fileName: 'call.mp3', mimeType: 'audio/mpeg' },
		rejectedBy: [TRANSCRIBE, DIFY_TRANSCRIBE, ...KNOWLEDGE],
	},
	...[
		{ fileName: 'invoice.pdf', mimeType: 'application/pdf' },
		{ fileName: 'photo.png', mimeType: 'image/png' },
		{ fileName: 'book.epub', mimeType: 'application/epub+zip' },
		{
			fileName: 'report.docx',
			mimeType: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
		},
	].map((sent) => ({
		title: `the error of a download under the name ${sent.fileName}`,
		file: { bytes: Buffer.from('<!DOCTYPE html><title>Sign in</title>'), ...sent },
		sent,
		rejectedBy: [TRANSCRIBE, DIFY_TRANSCRIBE, EDIT, ...KNOWLEDGE],
	})),
	{
		title: 'a picture under the name of another format',
		file: {
			bytes: Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
			fileName: 'photo.jpg',
			mimeType: 'image/jpeg',
		},
		sent: { fileName: 'photo.png', mimeType: 'image/png' },
		rejectedBy: [TRANSCRIBE, DIFY_TRANSCRIBE],
	},
	{
		title: 'a table that a program exported as HTML',
		file: {
			bytes: Buffer.from('<table><tr><td>1</td></tr></table>'),
			fileName: 'sums.xls',
			mimeType: 'application/vnd.ms-excel',
		},
		sent: { fileName: 'sums.xls', mimeType: 'application/vnd.ms-excel' },
		rejectedBy: [TRANSCRIBE, DIFY_TRANSCRIBE],
	},
	{
		title: 'plain words under the name of a recording, which may be chance',
		file: { bytes: Buffer.from('lalala'), fileName: 'song.mp3', mimeType: 'audio/mpeg' },
		sent: { fileName: 'song.mp3', mimeType: 'audio/mpeg' },
		retyped: { [DIFY_TRANSCRIBE]: 'audio/mp3' },
	},
	{
		title: 'a recording of a browser without a name',
		file: { bytes: Buffer.from('\x1aE\xdf\xa3', 'latin1'), fileName: '', mimeType: 'audio/webm' },
		sent: { fileName: 'data.webm', mimeType: 'audio/webm' },
		retyped: { [DIFY_TRANSCRIBE]: 'audio/mp3' },
	},
	{
		title: 'a name of 300 characters',
		file: {
			bytes: Buffer.from('ID3\x04\0\0\0', 'latin1'),
			fileName: `${'x'.repeat(296)}.mp3`,
			mimeType: 'audio/mpeg',
		},
		sent: { fileName: `${'x'.repeat(196)}.mp3`, mimeType: 'audio/mpeg' },
		retyped: { [DIFY_TRANSCRIBE]: 'audio/mp3' },
	},
];

const clock = useClock();

/** The file parts of forms. */
function findFiles(requests: readonly Received[]) {
	return requests.flatMap(({ text }) =>
		[...text.matchAll(/name="(?:file|image)"; filename="([^"]*)"\r\nContent-Type: (.*)\r\n/g)].map(
			([, fileName, mimeType]) => ({ fileName, mimeType }),
		),
	);
}

test.each(ROWS)('$title, in every operation that sends a file', async (row) => {
	const all = await listOperations();
	const senders = all.filter(({ name }) => SENDERS.includes(name));
	const others = all.filter(({ name }) => !SENDERS.includes(name));
	const operations = [...senders, ...takeSome(others, ROWS.indexOf(row))];
	const server = await startGoodServer();
	const setup = { file: row.file, continueOnFail: true };
	const alone = await runAlone(operations, { clock, server, key: 'key-7f3a91c4d2', setup });
	await server.close();
	const uploads = [...alone].flatMap(([name, requests]) =>
		findFiles(requests).map((file) => ({ name, ...file })),
	);
	const problems = uploads.flatMap(({ name, fileName, mimeType }) => {
		const expected = {
			fileName: row.renamed?.[name] ?? row.sent.fileName,
			mimeType: row.retyped?.[name] ?? row.sent.mimeType,
		};
		return fileName === expected.fileName && mimeType === expected.mimeType
			? []
			: [
					`${name}: expected ${expected.fileName} (${expected.mimeType}), sent ${fileName} (${mimeType})`,
				];
	});
	expectNoProblems(problems);
	const sent = uploads.map(({ name }) => name);
	expect([...new Set(sent)].sort()).toEqual(
		SENDERS.filter((name) => !row.rejectedBy?.includes(name))
			.filter((name) => name !== EDIT || row.sent.mimeType.startsWith('image/'))
			.sort(),
	);
});

test.each(SENDERS)('%s names the fields that the item has', async (name) => {
	const operation = (await listOperations()).find((each) => each.name === name)!;
	const server = await startGoodServer();
	const credentials = [
		createCredential(operation, { url: server.at(name), key: 'key-7f3a91c4d2' }),
	];
	const file = { field: 'file0', bytes: Buffer.from('hello'), fileName: 'a.txt', mimeType: '' };
	const message = operation
		.run({ credentials, file })
		.then(JSON.stringify, (error: unknown) => getErrorMessage(error));
	expect(await passUntilEnded(new Map([[name, message]]), { clock, servers: [server] })).toEqual(
		[],
	);
	expect(await message).toContain("The item has no binary field 'data'. The item has: file0");
	await server.close();
	expect(findFiles(server.to(name))).toEqual([]);
});
