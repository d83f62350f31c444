import { NodeOperationError, type INode } from 'n8n-workflow';

import { listError } from '../../../nodes/shared/list-error';

const node = { name: 'Node', type: 'node', typeVersion: 1, parameters: {} } as unknown as INode;

/** What the editor of n8n 2.41 does to the message of a list that failed (ResourceLocator.vue). */
const shown = (message: string) =>
	(/[-–—]/.test(message) ? message.split(/\s*[-–—]\s*/) : message.split(/(?<=[.!?])\s+/)).join(' ').trim();

it('puts the remedy into the message, and keeps hyphens through what the editor does to them', () => {
	const error = listError(
		new NodeOperationError(node, 'Nothing listens on my-server:8080', { description: 'Start it with --host 0.0.0.0.' }),
	);
	expect(shown(error.message)).toBe('Nothing listens on my‑server:8080. Start it with ‑‑host 0.0.0.0.');
});

it('leaves a message without a remedy', () => {
	expect(listError(new NodeOperationError(node, 'No model')).message).toBe('No model');
});

it('leaves the URL out where the message names the server already', () => {
	const of = (message: string) => listError(new NodeOperationError(node, message)).message;
	expect(of('Nothing listens on 10.0.0.7:8080, seen from n8n (http://10.0.0.7:8080/v1/models)')).toBe(
		'Nothing listens on 10.0.0.7:8080, seen from n8n',
	);
	expect(of('There is nothing at this address (http://10.0.0.7:8080/v1/models)')).toBe(
		'There is nothing at this address (http://10.0.0.7:8080/v1/models)',
	);
	expect(of('Access token is invalid (http://10.0.0.7/v1/conversations?user=anna&limit=100)')).toBe(
		'Access token is invalid (http://10.0.0.7/v1/conversations)',
	);
});
