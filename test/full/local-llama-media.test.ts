/** Images, transcripts and speech in the real n8n: stored files, streamed into the chat, and as an agent's tool. */
import { reply, startLlamaServerSim, type LlamaServerSim } from '../simulators/llama-server';
import { startKokoroSim } from '../simulators/media/kokoro';
import type { MediaSim } from '../simulators/media/server';
import { startSdServerSim } from '../simulators/media/sd-server';
import { startWhisperSim } from '../simulators/media/whisper';
import {
	llamaCredential,
	startN8n,
	stopEverything,
	type Execution,
	type N8nServer,
} from '../e2e/support/playground';
import { agent, localModel, MANUAL, workflowOf } from '../e2e/support/workflows';

let n8n: N8nServer;
let whisper: MediaSim;
let kokoro: MediaSim;
let painter: MediaSim;
let llama: LlamaServerSim;

beforeAll(async () => {
	n8n = await startN8n();
	whisper = await startWhisperSim({ segments: [{ text: ' Hello there', start: 0, end: 2 }] });
	kokoro = await startKokoroSim({
		sound: () => [Buffer.from('ID3\x04\0\0'), new Uint8Array(400_000), new Uint8Array(100_000)],
	});
	painter = await startSdServerSim();
	llama = await startLlamaServerSim();
});
afterAll(async () => {
	await stopEverything();
	await Promise.all([whisper, kokoro, painter, llama].map(async (sim) => await sim.close()));
});

/** The node, with a new credential for a server. */
async function localLlama(
	sim: { url: string },
	resource: string,
	parameters: Record<string, unknown>,
) {
	const { id, name } = await n8n.createCredential({ ...llamaCredential(sim), id: undefined });
	return {
		type: 'CUSTOM.localLlama',
		parameters: {
			resource,
			model: { __rl: true, mode: 'id', value: '' },
			options: {},
			...parameters,
		},
		credentials: { localLlamaApi: { id, name } },
	};
}

const itemOf = ({ data }: Execution, node: string) => {
	const { runData, error } = data.resultData;
	if (error !== undefined) throw new Error(JSON.stringify(error));
	const item: unknown = runData[node]!.at(-1)!.data!.main![0]![0];
	return item as { json: object; binary?: Record<string, object> };
};
const run = async (parts: Parameters<typeof workflowOf>[1]): Promise<Execution> => {
	const created = await n8n.createWorkflow(workflowOf('Media', { Start: MANUAL, ...parts }));
	return await n8n.waitForExecution(await n8n.runWorkflow(created, 'Start'));
};

it('a text becomes speech, a stored file, a transcript and subtitles', async () => {
	const execution = await run({
		Start: { ...MANUAL, to: ['Speak'] },
		Speak: {
			...(await localLlama(kokoro, 'audio', { operation: 'speak', text: 'Hello there' })),
			to: ['Listen'],
		},
		Listen: await localLlama(whisper, 'audio', { operation: 'transcribe', responseFormat: 'srt' }),
	});
	const spoken = itemOf(execution, 'Speak');
	expect(spoken.json).toEqual({
		output: { fileName: 'speech.mp3', mimeType: 'audio/mpeg', bytes: 500_006 },
	});
	expect(spoken.binary!.data).toMatchObject({
		fileName: 'speech.mp3',
		fileExtension: 'mp3',
		mimeType: 'audio/mpeg',
		fileType: 'audio',
	});
	expect(whisper.forms.at(-1)!.parts[0]).toMatchObject({ filename: 'speech.mp3', size: 500_006 });
	const transcription = itemOf(execution, 'Listen');
	expect(transcription.json).toEqual({ output: 'Hello there' });
	expect(transcription.binary!.data).toMatchObject({
		fileName: 'speech.srt',
		mimeType: 'application/x-subrip',
	});
});

it('an image is generated', async () => {
	const execution = await run({
		Start: { ...MANUAL, to: ['Draw'] },
		Draw: await localLlama(painter, 'image', { operation: 'generate', prompt: 'a cat' }),
	});
	expect(itemOf(execution, 'Draw')).toMatchObject({
		json: { output: { fileName: 'image.png', width: 1, height: 1 } },
		binary: { data: { fileName: 'image.png', mimeType: 'image/png', fileType: 'image' } },
	});
});

it('an agent that has the node as a tool gets facts instead of the file', async () => {
	const tool = await localLlama(painter, 'image', { operation: 'generate', prompt: 'a cat' });
	const { id, name } = await n8n.createCredential({ ...llamaCredential(llama), id: undefined });
	llama.script((request) => {
		const { tools } = request.body as { tools: Array<{ function: { name: string } }> };
		return reply.toolCalls([{ name: tools[0]!.function.name, arguments: {} }]);
	}, reply.text('Done.'));
	const execution = await run({
		Start: MANUAL,
		Agent: agent('Draw a cat'),
		'Local Chat Model': localModel({ id, name }),
		'Draw Picture': { ...tool, type: 'CUSTOM.localLlamaTool', serves: [['ai_tool', 'Agent']] },
	});
	expect(itemOf(execution, 'Agent').json).toEqual({ output: 'Done.' });
	const { messages } = llama.requests.at(-1)!.body as {
		messages: Array<{ role: string; content: string }>;
	};
	const toolMessage = messages.find(({ role }) => role === 'tool')!.content;
	expect(toolMessage).toContain('"fileName":"image.png"');
	expect(toolMessage).not.toContain('iVBOR');
});
