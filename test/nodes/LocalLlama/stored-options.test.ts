/** Stored texts and vectors with every option send what they did when they were stored, however the options are grouped. */
import type { WorkflowNode } from '../../../scripts/lib/types';
import { reply } from '../../servers/llama-server';
import { fs, path, process } from '../../support/node';
import { useLocalLlama } from './run-node';

const FOLDER = path.join(process.cwd(), 'test', 'fixtures', 'workflows-0.1.0');
const read = <T>(file: string) => JSON.parse(fs.readFileSync(path.join(FOLDER, file), 'utf8')) as T;
const nodes = read<{ nodes: WorkflowNode[] }>('every-option.json').nodes.filter(
	({ type, parameters }) =>
		type.endsWith('.localLlama') && ['text', 'vector'].includes(String(parameters.resource)),
);
const before = read<Record<string, unknown>>('requests-local-llama.json');

const { serve, execute } = useLocalLlama();

it.each(nodes)(
	'$name: $parameters.resource, $parameters.operation',
	async ({ name, parameters }) => {
		const sim = await serve({
			embeddings: parameters.operation === 'embed',
			rerank: parameters.operation === 'rerank',
		});
		if (parameters.resource === 'text')
			sim.script(...Array.from({ length: 4 }, () => reply.text('{"a":1}')));
		// The answer itself is tested elsewhere.
		await execute({ parameters, items: [{ json: { text: 'stored' } }] }).catch(() => {});
		const first = sim.requests.find(
			({ method, path: route }) => method === 'POST' && !route.endsWith('/lookup'),
		)!;
		const sent = { route: first.path, body: first.body as unknown };
		expect(sent).toEqual(before[name]);
	},
);
