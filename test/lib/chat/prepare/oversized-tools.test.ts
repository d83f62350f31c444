import {
	assertNeededTools,
	describeOversizedTools,
} from '../../../../lib/chat/prepare/oversized-tools';
import type { OversizedTool } from '../../../../lib/chat/tool-definition';
import { FORMAT_TOOL_NAME } from '../../../../lib/chat/tools/format-tool';
import { testLimit } from '../../../support/jest/limits';
import { toInput, toTool } from '../../../support/texts/messages';

const messages = [toInput({ type: 'human', content: 'Hi' })];
const oversized = (name: string): OversizedTool => ({ name, limit: 'fields' });

test.each<{ tools: OversizedTool[]; hint: string | undefined }>([
	{ tools: [], hint: undefined },
	{
		tools: [
			{ name: 'a', limit: 'fields' },
			{ name: 'b', limit: 'depth' },
			{ name: 'c', limit: 'description' },
			{ name: 'd', limit: 'together' },
		],
		hint: 'Tools that are too large were not offered to the model: "a" (its schema has more than 1,000 fields), "b" (its schema is nested too deeply (maximum 500 levels)), "c" (its description has more than 2.1 MB), "d" (all tools together are too large).',
	},
])('the hint names each tool and its limit', ({ tools, hint }) => {
	expect(describeOversizedTools(tools)).toBe(hint);
});

testLimit('lib/chat/prepare/oversized-tools.ts#MAX_NAMED', {
	limit: 5,
	outcome: (count) =>
		describeOversizedTools(
			Array.from({ length: count }, (_none, at) => oversized(`t${at}`)),
		)!.includes('and 1 more'),
	within: false,
	beyond: true,
});
testLimit('lib/chat/prepare/oversized-tools.ts#MAX_NAME', {
	limit: 80,
	outcome: (length) => describeOversizedTools([oversized('n'.repeat(length))])!.includes('…'),
	within: false,
	beyond: true,
});

test.each([
	{
		what: 'the tool that must be called',
		request: { toolChoice: { name: 'big' }, oversizedTools: [oversized('big')] },
		title: 'The tool "big" must be called, but is too large: its schema has more than 1,000 fields',
	},
	{
		what: 'the only tool, if one must be called',
		request: { toolChoice: 'required' as const, oversizedTools: [oversized('big')] },
		title: 'The tool "big" must be called, but is too large: its schema has more than 1,000 fields',
	},
	{
		what: 'the tool of an output parser',
		request: {
			tools: [toTool({ name: 'a', schema: {} })],
			oversizedTools: [oversized(FORMAT_TOOL_NAME)],
		},
		title: 'The output parser is too large: its schema has more than 1,000 fields',
	},
])('$what is an error', ({ request, title }) => {
	expect(() => assertNeededTools({ messages, ...request })).toThrow(title);
});

test.each([
	{ what: 'no tool must be called', request: { oversizedTools: [oversized('big')] } },
	{
		what: 'another one may be called',
		request: {
			toolChoice: 'required' as const,
			tools: [toTool({ name: 'a', schema: {} })],
			oversizedTools: [oversized('big')],
		},
	},
	{
		what: 'another one must be called',
		request: {
			toolChoice: { name: 'a' },
			tools: [toTool({ name: 'a', schema: {} })],
			oversizedTools: [oversized('big')],
		},
	},
])('no error if $what', ({ request }) => {
	expect(() => assertNeededTools({ messages, ...request })).not.toThrow();
});
