import { listModelsFor } from '../../../lib/servers/list-models';
import type { ModelTask } from '../../../lib/servers/types/server-type';
import { reply, startLlamaServerSim } from '../../simulators/llama-server';
import { startKokoroSim } from '../../simulators/media/kokoro';
import { useSimulator } from '../../simulators/use-simulator';
import { connect, failureOf } from '../tasks/media';

const startLlama = useSimulator(startLlamaServerSim);
const startKokoro = useSimulator(startKokoroSim);

const idsOf = async (sim: { url: string }, task: ModelTask) =>
	(await listModelsFor(connect(sim.url), task)).map(({ id }) => id);

test('GPUStack: by their categories', async () => {
	const sim = await startLlama({ profile: 'gpustack', models: [{ id: 'qwen3' }, { id: 'flux' }] });
	const entry = (id: string) => ({ id, object: 'model', created: 1, owned_by: 'gpustack' });
	sim.route('GET /v1/models', ({ query }) =>
		reply.json({
			object: 'list',
			data: [
				query.get('categories') === 'image'
					? entry('flux')
					: query.get('categories') === 'speech_to_text'
						? entry('whisper')
						: entry('qwen3'),
			],
		}),
	);
	expect([await idsOf(sim, 'images'), await idsOf(sim, 'transcription')]).toEqual([
		['flux'],
		['whisper'],
	]);
});

test('other servers: all models except those for other tasks', async () => {
	expect(await idsOf(await startKokoro(), 'speech')).toEqual(['tts-1', 'tts-1-hd', 'kokoro']);
	const deaf = await startLlama({ audio: false });
	expect(await failureOf(idsOf(deaf, 'transcription'))).toMatchObject({
		message: 'The server has no model for transcription',
		suggestion: expect.stringContaining('--mmproj') as string,
	});
});
