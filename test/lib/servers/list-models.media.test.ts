import { listModels } from '../../../lib/servers/list-models';
import type { ModelTask } from '../../../lib/servers/types/server-type';
import { startLlamaServerSim } from '../../simulators/llama-server';
import { startKokoroSim } from '../../simulators/media/kokoro';
import { useSimulator } from '../../simulators/use-simulator';
import { connect, failureOf } from '../tasks/media';

const startLlama = useSimulator(startLlamaServerSim);
const startKokoro = useSimulator(startKokoroSim);

const idsOf = async (sim: { url: string }, task: ModelTask) =>
	(await listModels(connect(sim.url), undefined, task)).map(({ id }) => id);

test('other servers: all models except those for other tasks', async () => {
	expect(await idsOf(await startKokoro(), 'speech')).toEqual(['tts-1', 'tts-1-hd', 'kokoro']);
	const deaf = await startLlama({ audio: false });
	expect(await failureOf(idsOf(deaf, 'transcription'))).toMatchObject({
		message: 'The server has no model for transcription',
		suggestion: expect.stringContaining('--mmproj') as string,
	});
});
