import { LoggerProxy } from 'n8n-workflow';

import { loadSdk, reportUnsupportedHost } from '../../../lib/langchain/host-classes';
import { OLDEST_N8N } from '../../../lib/supported-n8n';

describe('the SDK', () => {
	it('is required by an error message if an old n8n has none', () => {
		expect(() =>
			loadSdk(() => {
				throw new Error("Cannot find module '@n8n/ai-node-sdk'");
			}),
		).toThrow(`needs n8n ${OLDEST_N8N} or newer: this n8n has no @n8n/ai-node-sdk`);
		expect(() => loadSdk(() => ({}))).toThrow('has no supplyModel');
	});

	it('does not prevent the node file from loading if it is missing', () => {
		expect(() =>
			reportUnsupportedHost(() => {
				throw new Error('Cannot find module');
			}),
		).not.toThrow();
	});

	it('is reported in n8n’s log if it is missing', () => {
		const error = jest.spyOn(LoggerProxy, 'error').mockImplementation(() => {});
		reportUnsupportedHost(() => ({}));
		reportUnsupportedHost(() => ({ supplyModel: () => {} }));
		expect(error.mock.calls).toEqual([[expect.stringContaining('has no supplyModel. Update n8n')]]);
		error.mockRestore();
	});

	it('is found in this n8n', () => {
		expect(typeof loadSdk().getParametersJsonSchema).toBe('function');
	});
});
