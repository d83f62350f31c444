import {
	assertNeededTools,
	describeUnusableTools,
} from '../../../../lib/chat/prepare/unusable-tools';
import type { UnusableTool } from '../../../../lib/chat/tool-definition';
import { FORMAT_TOOL_NAME } from '../../../../lib/chat/tools/format-tool';
import { testLimit } from '../../../support/jest/limits';
import { toInput, toTool } from '../../../support/texts/messages';

const messages = [toInput({ type: 'human', content: 'Hi' })];
const unusable = (name: string): UnusableTool => ({ name, problem: 'fields' });

test.each<{ tools: UnusableTool[]; hint: string | undefined }>([
	{ tools: [], hint: undefined },
	{
		tools: [
			{ name: 'a', problem: 'fields' },
			{ name: 'b', problem: 'depth' },
			{ name: 'c', problem: 'description' },
			{ name: 'd', problem: 'together' },
		],
		hint: 'Some tools were not offered to the model: "a" (its schema has more than 500 fields), "b" (its schema is nested too deeply (maximum 500 levels)), "c" (its description has more than 2.1 MB), "d" (all tools together are too large).',
	},
])('the hint names each tool and its limit', ({ tools, hint }) => {
	expect(describeUnusableTools(tools)).toBe(hint);
});

testLimit('lib/chat/prepare/unusable-tools.ts#MAX_NAMED', {
	limit: 5,
	outcome: (count) =>
		describeUnusableTools(
			Array.from({ length: count }, (_none, at) => unusable(`t${at}`)),
		)!.includes('and 1 more'),
	within: false,
	beyond: true,
});
testLimit('lib/chat/prepare/unusable-tools.ts#MAX_NAME', {
	limit: 80,
	outcome: (length) => describeUnusableTools([unusable('n'.repeat(length))])!.includes('…'),
	within: false,
	beyond: true,
});

test.each([
	{
		what: 'the tool that must be called',
		request: { toolChoice: { name: 'big' }, unusableTools: [unusable('big')] },
		title:
			'The tool "big" must be called, but cannot be offered: its schema has more than 500 fields',
	},
	{
		what: 'the only tool, if one must be called',
		request: { toolChoice: 'required' as const, unusableTools: [unusable('big')] },
		title:
			'The tool "big" must be called, but cannot be offered: its schema has more than 500 fields',
	},
	{
		what: 'the tool of an output parser',
		request: {
			tools: [toTool({ name: 'a', schema: {} })],
			unusableTools: [unusable(FORMAT_TOOL_NAME)],
		},
		title: 'The output parser cannot be used: its schema has more than 500 fields',
	},
])('$what is an error', ({ request, title }) => {
	expect(() => assertNeededTools({ messages, ...request })).toThrow(title);
});

test.each([
	{ what: 'no tool must be called', request: { unusableTools: [unusable('big')] } },
	{
		what: 'another one may be called',
		request: {
			toolChoice: 'required' as const,
			tools: [toTool({ name: 'a', schema: {} })],
			unusableTools: [unusable('big')],
		},
	},
	{
		what: 'another one must be called',
		request: {
			toolChoice: { name: 'a' },
			tools: [toTool({ name: 'a', schema: {} })],
			unusableTools: [unusable('big')],
		},
	},
])('no error if $what', ({ request }) => {
	expect(() => assertNeededTools({ messages, ...request })).not.toThrow();
});
