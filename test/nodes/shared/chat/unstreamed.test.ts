import { getStreamingHint } from '../../../../nodes/shared/supply-model';

/** A run that began in a chat that answers at its end. */
const context = (change: { streaming?: boolean; responseMode?: string; executed?: unknown }) => {
	const options = change.responseMode === undefined ? {} : { responseMode: change.responseMode };
	return {
		isStreaming: () => change.streaming ?? false,
		getChatTrigger: () => ({ name: 'When "chat"', parameters: { options } }) as never,
		evaluateExpression: (expression: string) => {
			expect(expression).toBe('{{ $("When \\"chat\\"").isExecuted }}');
			return ('executed' in change ? change.executed : true) as never;
		},
	};
};

it('names the setting where a chat showed nothing for more than five seconds', () => {
	const hint = getStreamingHint(context({}), 20_400);
	expect(hint).toContain('nothing for 20 seconds');
	expect(hint).toContain('"When "chat"", set Options → Response Mode to Streaming');
	expect(getStreamingHint(context({}), 5_000)).toBeUndefined();
});

it.each([
	['a chat that is streamed', { streaming: true }],
	['a trigger whose answer other nodes give', { responseMode: 'responseNodes' }],
	['a run that another trigger began', { executed: false }],
])('says nothing of %s', (_what, change) => {
	expect(getStreamingHint(context(change), 20_000)).toBeUndefined();
});

it('says nothing where n8n does not tell', () => {
	const silent = context({});
	expect(getStreamingHint({ ...silent, isStreaming: undefined }, 20_000)).toBeUndefined();
	expect(getStreamingHint({ ...silent, getChatTrigger: () => null }, 20_000)).toBeUndefined();
	const failing = () => {
		throw new Error('no such node');
	};
	expect(getStreamingHint({ ...silent, evaluateExpression: failing }, 20_000)).toBeUndefined();
});
