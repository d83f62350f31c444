import { executePrepared, getNodeError, prepareNode } from '../dify';
import { createBinaryItem, startChatApp, executeApp } from './app';

const TRANSCRIBE = { resource: 'audio', operation: 'transcribe', binaryPropertyName: 'data' };

describe('audio: transcribe', () => {
	it('returns the text, the file name and the size', async () => {
		const sim = await startChatApp({ speechToText: true, heard: 'hello world' });
		const [item] = await executeApp(sim, TRANSCRIBE, {
			items: [createBinaryItem('note.mp3', 'audio/mpeg')],
		});
		expect(item!.json).toEqual({ text: 'hello world', fileName: 'note.mp3', bytes: 5 });
	});

	it('a response without a text is silence', async () => {
		const sim = await startChatApp({ speechToText: true, heard: 'x' });
		sim.fail({ path: /audio-to-text/, status: 200, body: '{}', contentType: 'application/json' });
		const [item] = await executeApp(sim, TRANSCRIBE, {
			items: [createBinaryItem('note.mp3', 'audio/mpeg')],
		});
		expect(item!.json).toEqual({ text: '', fileName: 'note.mp3', bytes: 5 });
	});

	it('silence is a hint, not an error', async () => {
		const sim = await startChatApp({ speechToText: true, heard: '' });
		const fake = prepareNode('difyApp', sim, {
			items: [createBinaryItem('note.wav', 'audio/wav')],
			parameters: TRANSCRIBE,
		});
		expect((await executePrepared('difyApp', fake))[0]!.json.text).toBe('');
		expect(fake.hints).toMatchObject([{ message: 'No speech was detected in the recording.' }]);
	});

	it.each([
		['note.m4a', 'application/octet-stream', '....ftypM4A ', 'm4a'],
		['note', 'application/octet-stream', 'ID3', 'mp3'],
		['voice.dat', 'application/octet-stream', 'RIFF....WAVE', 'wav'],
		['note.dat', 'application/octet-stream', '#!AMR', 'amr'],
		['note.mpga', 'audio/mpeg', 'ID3', 'mp3'],
		['clip.mp4', 'video/mp4', '....ftypisom', 'm4a'],
		['phone.mov', 'video/quicktime', '....ftypqt  ', 'm4a'],
		['note.wav', 'audio/x-wav', 'sound', 'wav'],
		['call.AMR', '', '\0\u0001\u0002', 'amr'],
	])('%s (%s) with %j is sent as audio/%s', async (name, mimeType, content, extension) => {
		const { fake, sent } = await transcribe(name, mimeType, content);
		expect(sent).toMatchObject({ mimeType: `audio/${extension}`, size: content.length });
		expect(fake.hints).toEqual([]);
	});

	it.each([
		['note.mp3', 'audio/mpeg', 'OggS', 'note.ogg', 'audio/ogg'],
		['PTT-1.opus', 'application/octet-stream', 'OggS', 'PTT-1.opus', 'audio/ogg'],
		['recording.webm', 'audio/webm', '\u001aE\u00df\u00a3', 'recording.webm', 'audio/webm'],
		['talk', '', 'fLaC', 'talk.flac', 'audio/flac'],
		['talk.aac', 'audio/aac', '\u00ff\u00f1', 'talk.aac', 'audio/aac'],
		['strange.dat', '', '\0\u0001\u0002', 'strange.dat', 'application/octet-stream'],
	])(
		'%s (%s) with %j has no type that Dify accepts: sent unchanged as MP3, with a hint',
		async (name, mimeType, content, sentName, actualType) => {
			const { fake, sent, item } = await transcribe(name, mimeType, content);
			expect(sent).toMatchObject({
				filename: sentName,
				mimeType: 'audio/mp3',
				size: content.length,
			});
			expect(item.json.text).toBe('hello');
			expect(fake.hints.map(({ message }) => message)).toContainEqual(
				`Dify accepts only MP3, M4A, WAV and AMR, so "${sentName}" (${actualType}) was sent unchanged under the type audio/mp3. If the speech model cannot read it, convert the recording to MP3.`,
			);
		},
	);

	it.each([
		['scan.wav', 'audio/wav', '%PDF-1.7', '"scan.wav" is a file of type application/pdf'],
		['photo.mp3', 'audio/mpeg', '\u00ff\u00d8\u00ff\u00e0', '"photo.mp3" is an image'],
		['log.gz', '', '\u001f\u008b\u0008\0', '"log.gz" is a file of type application/gzip'],
		['list.csv', 'text/csv', 'name;city', '"list.csv" is a text (text/csv)'],
		// Documents inside a container, and tables that declare themselves one
		...(
			[
				['sums.ods', 'application/vnd.oasis.opendocument.spreadsheet', 'PK\u0003\u0004'],
				['essay.pages', 'application/vnd.apple.pages', 'PK\u0003\u0004'],
				[
					'table.xls',
					'application/vnd.ms-excel',
					'\u00d0\u00cf\u0011\u00e0\u00a1\u00b1\u001a\u00e1',
				],
				['export.csv', 'application/vnd.ms-excel', 'Name;Stadt\n\u00c4nne;K\u00f6ln\n'],
			] as const
		).map(([name, type, content]) => [name, type, content, `"${name}" is a file of type ${type}`]),
		// The errors of a download
		...(
			[
				['call.mp3', 'audio/mpeg', '{"error":"expired"}'],
				['call.wav', 'audio/wav', '<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'],
				['call.m4a', 'audio/mp4', '\n<!DOCTYPE html><html><body>Login</body></html>'],
				['call.ogg', '', '[{"code":404}]'],
			] as const
		).map(([name, type, content]) => [
			name,
			type,
			content,
			`"${name}" is a text by its content (markup or JSON)`,
		]),
	])('%s (%s) with %j is rejected before it is sent', async (name, mimeType, content, title) => {
		const sim = await startChatApp({ speechToText: true });
		const items = [createBinaryItem(name, mimeType, Buffer.from(content, 'latin1'))];
		const fake = prepareNode('difyApp', sim, { items, parameters: TRANSCRIBE });
		const error = await getNodeError(executePrepared('difyApp', fake));
		expect(error.message).toBe(title);
		expect(fake.hints).toEqual([]);
		expect(sim.requests).toEqual([]);
	});
});

async function transcribe(name: string, mimeType: string, content: string) {
	const sim = await startChatApp({ speechToText: true, heard: 'hello' });
	const fake = prepareNode('difyApp', sim, {
		items: [createBinaryItem(name, mimeType, Buffer.from(content, 'latin1'))],
		parameters: TRANSCRIBE,
	});
	const [item] = await executePrepared('difyApp', fake);
	const sent = sim.requests.at(-1)!.upload!.parts.find((part) => part.name === 'file');
	return { fake, sent, item: item! };
}
