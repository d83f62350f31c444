/** A key of an app where a key of knowledge is needed, or the other way round. */
import { DifyApp } from '../../nodes/DifyApp/DifyApp.node';
import { DifyConversation } from '../../nodes/DifyConversation/DifyConversation.node';
import { DifyKnowledge } from '../../nodes/DifyKnowledge/DifyKnowledge.node';
import { DifyRetriever } from '../../nodes/DifyRetriever/DifyRetriever.node';
import { getForm, searchConversations } from '../../nodes/shared/dify/editor-lists';
import { appKey, knowledgeKey } from '../simulators/dify';
import { editorContext } from '../support/n8n/editor-context';
import { getNodeError, executeNode } from '../nodes/dify';
import { startSim } from '../lib/dify/client';
import { executeOperation, startScene } from '../nodes/DifyKnowledge/setup';

describe('a key of the wrong type is an error before anything is sent', () => {
	test.each([
		['difyChatMessage', 'dataset-abc'],
		['difyWorkflow', 'dataset-abc'],
		['difyApp', 'dataset-abc'],
		['difyFeedback', 'dataset-abc'],
		['difyConversation', 'dataset-abc'],
		// Pasted with its scheme.
		['difyApp', `Bearer ${knowledgeKey()}`],
	] as const)('%s with a knowledge key: %s', async (name, apiKey) => {
		const sim = await startSim();
		const credentials = { baseUrl: sim.url, apiKey, keyType: 'app' };
		const error = await getNodeError(executeNode(name, sim, { credentials }));
		expect(error.message).toContain('a knowledge key, and this node requires an app key');
		expect(error.description).toContain('"app-…"');
		expect(sim.requests).toEqual([]);
	});

	test('Dify Knowledge with an app key', async () => {
		const scene = await startScene();
		const credentials = { baseUrl: scene.sim.url, apiKey: 'app-abc', keyType: 'knowledge' };
		const error = await getNodeError(
			executeOperation(scene, 'metadata', 'getFields', {}, { credentials }),
		);
		expect(error.message).toContain('an app key, and this node requires a knowledge key');
		expect(scene.sim.requests).toEqual([]);
	});

	test('a key without a prefix of Dify is sent', async () => {
		const sim = await startSim();
		const credentials = { baseUrl: sim.url, apiKey: 'gateway-key', keyType: 'app' };
		await getNodeError(executeNode('difyChatMessage', sim, { credentials }));
		expect(sim.requests.length).toBeGreaterThan(0);
	});
});

describe('a list in the editor names a key of the wrong type', () => {
	const createContext = (baseUrl: string, apiKey: string) =>
		editorContext({ baseUrl, apiKey }, { user: 'u1' });

	test.each([
		['conversations', searchConversations],
		['variables', new DifyConversation().methods.listSearch.searchVariables],
		['annotations', new DifyApp().methods.listSearch.searchAnnotations],
	])('%s with a knowledge key', async (_name, search) => {
		const sim = await startSim();
		await expect(search.call(createContext(sim.url, knowledgeKey()))).rejects.toThrow(
			/a knowledge key, and this node requires an app key.+app.…/,
		);
		expect(sim.requests).toEqual([]);
	});

	test.each(Object.entries(new DifyKnowledge().methods.listSearch))(
		'%s with an app key',
		async (_name, search) => {
			const sim = await startSim();
			await expect(search.call(createContext(sim.url, appKey('chat')))).rejects.toThrow(
				/an app key, and this node requires a knowledge key.+dataset.…/,
			);
			expect(sim.requests).toEqual([]);
		},
	);

	test('the form of an app, and the knowledge bases of Dify Retriever', async () => {
		const sim = await startSim();
		const form = await getForm.call(createContext(sim.url, knowledgeKey()));
		expect(form.emptyFieldsNotice).toMatch(/requires an app key|key of the app/);
		const { getKnowledgeBases } = new DifyRetriever().methods.loadOptions;
		const [entry] = await getKnowledgeBases.call(createContext(sim.url, appKey('chat')));
		expect(entry!.name).toContain('this node requires a knowledge key');
		expect(sim.requests).toEqual([]);
	});
});
