import {
	findHostClasses,
	loadSdk,
	reportUnsupportedHost,
} from '../../../lib/langchain/host-classes';
import type { AiNodeSdk } from '../../../lib/langchain/host-classes';
import { fakeContext } from '../../support/n8n/context';
import { LoggerProxy } from 'n8n-workflow';
import { OLDEST_N8N } from '../../../lib/supported-n8n';

const { context } = fakeContext({}, {});
const sdk = loadSdk();

/** The real SDK with a part of its model removed. */
function changedSdk(
	change: (adapter: Record<string, unknown>, prototype: Record<string, unknown>) => void,
): AiNodeSdk {
	return {
		...sdk,
		supplyModel: (...args: Parameters<AiNodeSdk['supplyModel']>) => {
			const { response } = sdk.supplyModel(...args) as { response: Record<string, unknown> };
			// A separate class, so that nothing cached for the real one is used.
			const prototype = Object.create(Object.getPrototypeOf(response) as object) as Record<
				string,
				unknown
			>;
			const base = Object.create(
				Object.getPrototypeOf(Object.getPrototypeOf(response)) as object,
			) as Record<string, unknown>;
			for (const key of Object.getOwnPropertyNames(Object.getPrototypeOf(response)))
				prototype[key] = (Object.getPrototypeOf(response) as Record<string, unknown>)[key];
			Object.setPrototypeOf(prototype, base);
			Object.setPrototypeOf(response, prototype);
			change(response, base);
			return { response };
		},
	} as unknown as AiNodeSdk;
}

describe("the host's classes", () => {
	it('are found in the real SDK', async () => {
		const harvest = await findHostClasses(context, sdk);
		expect(harvest.type === 'missing' ? harvest : Object.keys(harvest.classes).sort()).toEqual([
			'AIMessageChunk',
			'BaseChatModel',
			'ChatGenerationChunk',
			'N8nLlmTracing',
		]);
	});

	it('are cached', async () => {
		const [first, second] = [
			await findHostClasses(context, sdk),
			await findHostClasses(context, sdk),
		];
		const classes = first.type === 'found' ? first.classes : undefined;
		expect(classes).toBeDefined();
		expect(second).toEqual({ type: 'found', classes });
		expect(second.type === 'found' && second.classes).toBe(classes);
	});

	it.each([
		[
			'BaseChatModel.withConfig',
			(_adapter: Record<string, unknown>, base: Record<string, unknown>) =>
				(base.withConfig = undefined),
		],
		[
			'_streamResponseChunks',
			(adapter: Record<string, unknown>) => (adapter._streamResponseChunks = undefined),
		],
		[
			'ChatGenerationChunk',
			(adapter: Record<string, unknown>) => (adapter._streamResponseChunks = async function* () {}),
		],
		['N8nLlmTracing', (adapter: Record<string, unknown>) => (adapter.callbacks = [])],
	])('name the missing part when n8n changes: %s', async (missing, change) => {
		expect(await findHostClasses(context, changedSdk(change))).toEqual({
			type: 'missing',
			missing,
		});
	});
});

it.each([
	[
		'while it streams',
		changedSdk((adapter) => {
			adapter._streamResponseChunks = () => {
				throw new Error('no run manager');
			};
		}),
	],
	[
		'when it is created',
		{
			...sdk,
			supplyModel: () => {
				throw new Error('no run manager');
			},
		} as unknown as AiNodeSdk,
	],
])(
	'a probe that throws: is reported as missing, so that the SDK is used: %s',
	async (_when, changed) => {
		expect(await findHostClasses(context, changed)).toEqual({
			type: 'missing',
			missing: 'its chat model failed: no run manager',
		});
	},
);

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
