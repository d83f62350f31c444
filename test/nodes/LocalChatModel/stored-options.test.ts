/** Stored nodes with every option set log and send what they did when they were stored, however the options are grouped. */
import type { WorkflowNode } from '../../../scripts/lib/types';
import { useChatModel } from '../../support/chat-model';
import { fs, path, process } from '../../support/node';
import { reply } from '../../servers/llama-server';

const FOLDER = path.join(process.cwd(), 'test', 'fixtures', 'workflows-0.1.0');
const read = <T>(file: string) => JSON.parse(fs.readFileSync(path.join(FOLDER, file), 'utf8')) as T;
const nodes = read<{ nodes: WorkflowNode[] }>('every-option.json').nodes.filter(({ type }) =>
	type.endsWith('.localChatModel'),
);
const before = read<Record<string, unknown>>('requests.json');

const { server, supplied } = useChatModel();

it.each(nodes)('$name', async ({ name, parameters }) => {
	server().script(reply.text('{"a":1}'), reply.text('{"a":1}'));
	const { model, inputs } = await supplied(parameters);
	await model.invoke('Hi').catch(() => {});
	const [log] = inputs as Array<{ options: Record<string, unknown> }>;
	const logged = { ...log?.options, base_url: undefined };
	const sent = server().requests.flatMap(({ path: route, body }) =>
		/chat/.test(route) ? [{ route, body: body as unknown }] : [],
	);
	expect(JSON.parse(JSON.stringify({ logged, sent }))).toEqual(before[name]);
});
