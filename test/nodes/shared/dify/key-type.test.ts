import { getNodeError, executeNode } from '../../dify';
import { startSim } from '../../../lib/dify/client';
import { executeOperation, startScene } from '../../DifyKnowledge/setup';

describe('a key of the wrong type is an error before anything is sent', () => {
	test.each([
		'difyChatMessage',
		'difyWorkflow',
		'difyApp',
		'difyFeedback',
		'difyConversation',
	] as const)('%s with a knowledge key', async (name) => {
		const sim = await startSim();
		const credentials = { baseUrl: sim.url, apiKey: 'dataset-abc', keyType: 'app' };
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
