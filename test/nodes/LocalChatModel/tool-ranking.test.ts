import { serverOf } from '../../../lib/servers/server';
import { clearSharedCaches } from '../../../lib/lru-cache';
import type { ToolDefinition } from '../../../lib/chat/types';
import { RankingAt } from '../../../nodes/LocalChatModel/tool-ranking';
import { startScripted, type ScriptedServer } from '../../servers/scripted';

let server: ScriptedServer | undefined;
beforeEach(clearSharedCaches);
afterEach(async () => await server?.close());

const TOOLS: ToolDefinition[] = ['get_weather', 'set_light'].map((name) => ({
	name,
	description: `For ${name}`,
	parameters: { type: 'object', properties: {} },
}));

/** A vector that says only whether the text is about light. */
const vectorOf = (text: string) => (/light|lamp/.test(text) ? [0, 1] : [1, 0]);

const rankingAt = async (models: object[], status = 200) => {
	server = await startScripted(({ path, body }, response) => {
		response.setHeader('content-type', 'application/json');
		if (path.endsWith('/models')) return void response.end(JSON.stringify({ data: models }));
		response.statusCode = path.endsWith('/embeddings') ? status : 404;
		const data = [body.input].flat().map((text, index) => ({
			index,
			embedding: vectorOf(String(text)),
		}));
		response.end(JSON.stringify({ data }));
	});
	return new RankingAt(serverOf({ baseUrl: server.url }));
};

const textsEmbedded = () =>
	server!.requests
		.filter(({ path }) => path.endsWith('/embeddings'))
		.flatMap(({ body }) => body.input as string[]);

const CHAT = { id: 'qwen3', capabilities: ['chat'] };
const VECTORS = { id: 'e5', capabilities: ['embed'] };

test('a listed embedding model ranks, and each text is embedded once', async () => {
	const ranking = await rankingAt([CHAT, VECTORS]);
	const first = await ranking.rank(['the lamp, please'], TOOLS);
	expect(first).toEqual({ fit: [0, 1], basis: 'the embeddings of e5' });
	const second = await ranking.rank(['Is it sunny?', 'the lamp, please'], TOOLS);
	expect(second.fit).toEqual([1, 0.5]);
	expect(textsEmbedded()).toHaveLength(4);
});

test('without one, or with one that is not loaded, words decide', async () => {
	const unloaded = { id: 'e5', status: { value: 'unloaded', args: ['--embeddings'] } };
	for (const models of [[CHAT], [CHAT, unloaded]]) {
		clearSharedCaches();
		const ranking = await rankingAt(models);
		expect((await ranking.rank(['Dim the light'], TOOLS)).basis).toBe('words');
		expect(textsEmbedded()).toEqual([]);
		await server!.close();
	}
});

test('where the embeddings fail, words decide, and the log says why', async () => {
	const ranking = await rankingAt([CHAT, VECTORS], 500);
	const { fit, basis } = await ranking.rank(['Dim the light'], TOOLS);
	expect(fit[1]).toBeGreaterThan(fit[0]!);
	expect(basis).toMatch(/^words, as the embeddings failed: ./);
});
