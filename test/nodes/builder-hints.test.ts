import type { INodeProperties, INodeType, INodeTypeDescription } from 'n8n-workflow';

import { BUILDER_HINTS } from '../../nodes/shared/builder-hints';
import { createRequire, fs, path, process } from '../support/node';

interface SearchResult {
	name: string;
	score: number;
	builderHintMessage?: string;
}
type SearchEngine = new (nodes: object[]) => {
	searchByName(query: string, limit?: number): SearchResult[];
};
type Described = INodeProperties & { builderHint?: unknown };

const fromRoot = createRequire(`${process.cwd()}/package.json`);
/** What n8n's assistant and its MCP server search with. */
const { NodeSearchEngine } = fromRoot('@n8n/ai-utilities/node-catalog') as {
	NodeSearchEngine: SearchEngine;
};
const { validateNodeDescription } = fromRoot(
	`${process.cwd()}/node_modules/n8n-core/dist/nodes-loader/validate-node-description.js`,
) as { validateNodeDescription: (description: object) => void };

const FOLDER = path.join(process.cwd(), 'nodes');
const folders = fs
	.readdirSync(FOLDER)
	.filter((name) => fs.existsSync(path.join(FOLDER, name, `${name}.node.ts`)));
let descriptions: INodeTypeDescription[];

beforeAll(async () => {
	descriptions = await Promise.all(
		folders.map(async (folder) => {
			const module = (await import(path.join(FOLDER, folder, `${folder}.node`))) as Record<
				string,
				new () => INodeType
			>;
			const codex = JSON.parse(
				fs.readFileSync(path.join(FOLDER, folder, `${folder}.node.json`), 'utf8'),
			) as object;
			return { ...new module[folder]!().description, codex } as INodeTypeDescription;
		}),
	);
});

test('every node has a hint of its own, and there is none without a node', () => {
	expect(Object.keys(BUILDER_HINTS).sort()).toEqual(descriptions.map(({ name }) => name).sort());
	for (const { name, builderHint } of descriptions)
		expect(builderHint).toBe(BUILDER_HINTS[name as keyof typeof BUILDER_HINTS]);
});

test('case N41: n8n’s own check of a description passes: no hint on an operation, a mode or a resource', () => {
	const named = (properties: readonly object[]): Described[] =>
		(properties as Described[]).flatMap((one) => [
			one,
			...named((one.options ?? []) as object[]),
			...named('values' in one ? (one.values as object[]) : []),
		]);
	for (const description of descriptions) {
		validateNodeDescription(description);
		const wrong = named(description.properties).filter(
			({ name, builderHint }) =>
				['operation', 'mode', 'resource'].includes(name) && builderHint !== undefined,
		);
		expect(wrong).toEqual([]);
	}
});

test('hints name nodes and operations that exist', () => {
	const names = descriptions.map(({ displayName }) => displayName);
	const hints = Object.values(BUILDER_HINTS).map(({ searchHint }) => searchHint);
	for (const hint of hints) {
		const named = hint.match(
			/\b(?:Local|Dify|Server) (?:Chat|Llama|Embeddings|Reranker|Health|App|Workflow|Knowledge|Retriever|Trigger)(?: (?:Model|Message|Trigger))?/g,
		);
		for (const name of named ?? []) expect(names).toContain(name);
	}
});

test.each([
	['chat with my local llama', ['localLlama', 'localChatModel']],
	['ask Dify', ['difyApp', 'difyChatMessage']],
	['index a folder into Dify knowledge', ['difyKnowledge']],
	['is my server up', ['serverHealth', 'serverHealthTrigger']],
	['classify mails locally', ['localLlama']],
])('n8n’s search for "%s" finds %j', (wish, expected) => {
	const found = new NodeSearchEngine(descriptions).searchByName(wish, 10);
	expect(found.map(({ name }) => name)).toEqual(expect.arrayContaining(expected));
	expect(found[0]!.name).toBe(expected[0]);
	expect(found[0]!.builderHintMessage).toBe(
		BUILDER_HINTS[expected[0] as keyof typeof BUILDER_HINTS].searchHint,
	);
});
