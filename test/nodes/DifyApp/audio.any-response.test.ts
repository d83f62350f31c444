/** Speech and transcripts of Dify from any response: the file, its type, hints, or the error. */
import { startGoodServer } from '../../faults/good-server';
import type { Reaction } from '../../faults/good-server';
import { createCredential, passUntilEnded, withoutIds } from '../../faults/harness';
import { listOperations } from '../../faults/operations';
import { useClock } from '../../guarantees/support/fake-clock';
import { expectApproved } from '../../support/approved/approved-table';
import path from 'node:path';
import { describeNodeError } from '../../support/approved/outcome';

const clock = useClock();
const pad = (head: string): Buffer =>
	Buffer.concat([Buffer.from(head, 'latin1'), Buffer.alloc(200)]);
const MP3 = pad('ID3\x04\0\0');
const WAV = pad('RIFF\xf0\0\0\0WAVEfmt \x10\0\0\0');
const audio = (body: Buffer | string, type: string): Reaction => ({
	headers: { 'content-type': type },
	body,
});
const JSON_TYPE = 'application/json';

const SPOKEN: Readonly<Record<string, Reaction>> = {
	MP3: audio(MP3, 'audio/mpeg'),
	'WAV that is called MP3': audio(WAV, 'audio/mpeg'),
	'WAV as bytes': audio(WAV, 'application/octet-stream'),
	'bytes that are no audio': audio(pad('\x01\x02'), 'audio/wav'),
	'no bytes': audio(Buffer.alloc(0), 'audio/mpeg'),
	null: audio('null', JSON_TYPE),
	'an empty body': audio('', JSON_TYPE),
	'an error': {
		status: 400,
		headers: { 'content-type': JSON_TYPE },
		body: '{"code":"x","message":"No voice","status":400}',
	},
	'an error with status 200': audio(
		'{"code":"unauthorized","message":"Bad key","status":401}',
		JSON_TYPE,
	),
	'a page': audio('<html></html>', 'text/html'),
};
const HEARD: Readonly<Record<string, Reaction>> = {
	'a text': audio('{"text":"Hello"}', JSON_TYPE),
	silence: audio('{"text":" "}', JSON_TYPE),
	'no text': audio('{}', JSON_TYPE),
	'an error': {
		status: 415,
		headers: { 'content-type': JSON_TYPE },
		body: '{"code":"unsupported_audio_type","message":"Type","status":415}',
	},
};
const RECORDINGS = {
	'a.wav': ['audio/wav', WAV],
	'b.mp3': ['audio/mpeg', MP3],
	'c.ogg': ['audio/ogg', pad('OggS\0\x02')],
	'd.m4b': ['audio/mp4', pad('\0\0\0\x20ftypM4B \0\0\0\0')],
	'e.txt': ['text/plain', Buffer.from('hello')],
} as const;

test('each response', async () => {
	const operations = await listOperations();
	const reactions = new Map<string, Reaction>();
	const server = await startGoodServer(({ name, line }) =>
		/audio/.test(line) ? reactions.get(name) : undefined,
	);
	const works = new Map<string, Promise<string>>();
	const play = (
		input: string,
		reaction: Reaction,
		{
			operation: name,
			parameters = {},
			binary = {},
		}: { operation: string; parameters?: object; binary?: object },
	): void => {
		const operation = operations.find((one) => one.name === `Dify Apps audio ${name}`)!;
		const url = server.at(input);
		reactions.set(url.slice(url.lastIndexOf('/') + 1), reaction);
		const work = operation
			.run({
				credentials: [createCredential(operation, { url, key: 'key' })],
				items: [{ json: {}, binary }] as never,
				parameters: { user: 'u', ...parameters } as never,
			})
			.then(
				({ items = [], hints = [] }) =>
					[
						JSON.stringify(items),
						...hints.map(({ message, type }) => `hint ${type} ${message}`),
					].join(' ; '),
				describeNodeError,
			);
		works.set(input, work);
	};
	for (const [name, reaction] of Object.entries(SPOKEN)) {
		play(`speak, ${name}`, reaction, { operation: 'speak', parameters: { text: 'Hi' } });
		if (name === 'MP3')
			play('speak a message', reaction, {
				operation: 'speak',
				parameters: { source: 'message', options: { voice: 'v', fileName: 'out.mp3' } },
			});
	}
	for (const [fileName, [mimeType, bytes]] of Object.entries(RECORDINGS)) {
		const binary = { data: { fileName, mimeType, data: bytes.toString('base64') } };
		play(`transcribe ${fileName}`, HEARD['a text']!, { operation: 'transcribe', binary });
		if (fileName === 'a.wav')
			for (const [name, reaction] of Object.entries(HEARD))
				play(`transcribe, ${name}`, reaction, { operation: 'transcribe', binary });
	}
	expect(await passUntilEnded(works, { clock, servers: [server] })).toEqual([]);
	const rows = [];
	for (const [input, work] of works) {
		const sent = server
			.to(input)
			.map(
				({ line, text }) =>
					`${line} ${text.startsWith('{') ? text : [...text.matchAll(/name="[^"]+"(?:; filename="[^"]+")?|Content-Type: [^\r]+/g)].join(' ')}`,
			);
		rows.push({
			input,
			outcome: withoutIds([...sent, await work].join(' ; '))
				.replace(/http:\/\/127\.0\.0\.1:\d+\/[\w-]+/g, 'SERVER')
				.replace(/"data":"[^"]{80,}"/g, '"data":"…"'),
		});
	}
	await server.close();
	expectApproved(
		path.join(__dirname, 'audio.any-response.approved.txt'),
		rows,
		'Speech and transcripts of Dify keep their bytes, type and text',
	);
});
