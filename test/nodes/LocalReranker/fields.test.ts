import { startLlamaServerSim } from '../../simulators/llama-server';
import { useSimulator } from '../../simulators/use-simulator';
import { getError } from '../LocalEmbeddings/supplied';
import { supplyNode } from './supplied';

const start = useSimulator(startLlamaServerSim);

it('Top N below 0 is rejected', async () => {
	expect((await getError(supplyNode(await start(), { topN: -1 }))).message).toContain('"Top N"');
});

it.each([
	[{ minimumScore: 'high' }, 'Minimum Score'],
	[{ scores: 'minMax' }, 'Scores'],
	[{ longDocuments: 'average' }, 'Long Documents'],
	[{ batchSize: 0 }, 'Batch Size'],
])('%j is rejected by name', async (options, field) => {
	expect((await getError(supplyNode(await start(), { options }))).message).toContain(`"${field}"`);
});
