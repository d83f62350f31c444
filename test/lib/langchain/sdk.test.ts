import { LoggerProxy } from 'n8n-workflow';

import { loadSdk, reportUnsupportedHost } from '../../../lib/langchain/host-classes';
import { OLDEST_N8N } from '../../../lib/supported-n8n';

describe('the SDK', () => {
	it('is asked for with a sentence where an old n8n has none', () => {
		expect(() =>
			loadSdk(() => {
				throw new Error("Cannot find module '@n8n/ai-node-sdk'");
			}),
		).toThrow(`needs n8n ${OLDEST_N8N} or newer: this n8n has no @n8n/ai-node-sdk`);
		expect(() => loadSdk(() => ({}))).toThrow('has no supplyModel');
	});

	it('being absent does not keep the node file from loading', () => {
		expect(() =>
			reportUnsupportedHost(() => {
				throw new Error('Cannot find module');
			}),
		).not.toThrow();
	});

	it('being absent is said in the log of n8n', () => {
		const error = jest.spyOn(LoggerProxy, 'error').mockImplementation(() => {});
		reportUnsupportedHost(() => ({}));
		reportUnsupportedHost(() => ({ supplyModel: () => {} }));
		expect(error.mock.calls).toEqual([[expect.stringContaining('has no supplyModel. Update n8n')]]);
		error.mockRestore();
	});

	it('is the one that this n8n brings', () => {
		expect(typeof loadSdk().getParametersJsonSchema).toBe('function');
	});
});
