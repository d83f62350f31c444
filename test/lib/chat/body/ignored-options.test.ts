import { getIgnoredOptionWarnings } from '../../../../lib/chat/body/ignored-options';
import type { SamplingSettings } from '../../../../lib/chat/settings';
import { SERVER_TYPES } from '../../../../lib/servers/types';
import type { ServerTypeName } from '../../../../lib/server-type-name';

const SAMPLING: SamplingSettings = {
	temperature: 0.5,
	topK: 10,
	minP: 0.1,
	thinking: { mode: 'budget', tokens: 100 },
	responseFormat: { type: 'grammar', grammar: 'root ::= "a"' },
};

test.each<{ server: ServerTypeName; ignored: string | undefined }>([
	{ server: 'llamaServer', ignored: undefined },
	{ server: 'ollama', ignored: 'Thinking Token Budget, GBNF Grammar' },
	{ server: 'vllm', ignored: undefined },
])('$server names the set options that it does not support', ({ server, ignored }) => {
	const { label } = SERVER_TYPES[server];
	const sentence = `This server (${label}) does not support these options, so they were not sent: ${ignored}`;
	expect(getIgnoredOptionWarnings(SAMPLING, SERVER_TYPES[server])).toEqual(
		ignored === undefined ? [] : [sentence],
	);
});

test('thinking that is turned off or left to the server is in no warning', () => {
	for (const mode of ['off', 'serverDefault'] as const)
		expect(getIgnoredOptionWarnings({ thinking: { mode } }, SERVER_TYPES.ollama)).toEqual([]);
});
