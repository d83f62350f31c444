/** Whatever operation sends a file: its name and type follow from its bytes, and have an ending. */
import { useClock } from '../guarantees/support/fake-clock';
import { startGoodServer } from './good-server';
import type { Received } from './good-server';
import { expectNoProblems, runAlone } from './harness';
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
}

const TRANSCRIBE = 'Local Llama audio transcribe';
const DIFY_TRANSCRIBE = 'Dify Apps audio transcribe';

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
		retyped: { [DIFY_TRANSCRIBE]: 'audio/csv' },
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
];

const clock = useClock();

/** The file parts of forms. */
function findFiles(requests: readonly Received[]) {
	return requests.flatMap(({ text }) =>
		[...text.matchAll(/name="file"; filename="([^"]*)"\r\nContent-Type: (.*)\r\n/g)].map(
			([, fileName, mimeType]) => ({ fileName, mimeType }),
		),
	);
}

test.each(ROWS)('$title, in every operation that sends a file', async (row) => {
	const operations = await listOperations();
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
	expect(new Set(uploads.map(({ name }) => name)).size).toBeGreaterThan(5);
});
