import { getStreamingHint } from '../../../nodes/LocalChatModel/supply';

/** An execution that a chat started, which responds at its end. */
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

it('names the setting if a chat showed nothing for more than five seconds', () => {
	const hint = getStreamingHint(context({}), 20_400);
	expect(hint).toContain('nothing for 20 seconds');
	expect(hint).toContain('"When "chat"", set Options → Response Mode to Streaming');
	expect(getStreamingHint(context({}), 5_000)).toBeUndefined();
});

it.each([
	['a chat that is streamed', { streaming: true }],
	['a trigger whose answer other nodes give', { responseMode: 'responseNodes' }],
	['an execution that another trigger started', { executed: false }],
])('has no hint for %s', (_what, change) => {
	expect(getStreamingHint(context(change), 20_000)).toBeUndefined();
});

it('has no hint if n8n does not report streaming', () => {
	const silent = context({});
	expect(getStreamingHint({ ...silent, isStreaming: undefined }, 20_000)).toBeUndefined();
	expect(getStreamingHint({ ...silent, getChatTrigger: () => null }, 20_000)).toBeUndefined();
	const failing = () => {
		throw new Error('no such node');
	};
	expect(getStreamingHint({ ...silent, evaluateExpression: failing }, 20_000)).toBeUndefined();
});
