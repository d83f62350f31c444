import {
	buildFormatCorrection,
	buildToolCallCorrection,
	describeForModel,
	toSafeName,
} from '../../../lib/chat/check/correction';
import { parseToolResult } from '../../../lib/chat/content';
import { toGrammarSchema } from '../../../lib/chat/body/grammar-schema';
import { GENERATION_OPTIONS } from '../../../lib/chat/body/generation-options';
import { ToolCallAccumulator } from '../../../lib/chat/read/tool-call-accumulator';
import { cacheToolCalls, toolCallCache } from '../../../lib/chat/tools/tool-call-cache';
import { toValidName } from '../../../lib/chat/tools/tool-names';
import { createToolCallIds, toServerToolCallId } from '../../../lib/chat/tools/tool-call-ids';
import { selectTools } from '../../../lib/chat/prepare/tool-selection';
import { trimHistory } from '../../../lib/chat/prepare/trim-history';
import type { ChatMessage } from '../../../lib/chat/chat-message';
import { validateAgainstSchema } from '../../../lib/chat/check/validate-against-schema';
import { testLimit, textOfBytes, textOfCharacters } from '../../support/jest/limits';
import { toInput, toMessages, toShort, toTool } from '../../support/texts/messages';

const isWhole = (shown: string) => !shown.includes('…');

testLimit('lib/chat/content.ts#MAX_RESULT_WITH_IMAGES', {
	limit: 16 * 1024 * 1024,
	of: 'characters',
	outcome: (length) => {
		const data = 'iVBORw0KGgoAAAANSUhEUg==';
		const json = JSON.stringify([{ type: 'image', data, mimeType: 'image/png' }]);
		return parseToolResult(json.padEnd(length, ' ')).images.length;
	},
	within: 1,
	beyond: 0,
});
testLimit('lib/chat/check/correction.ts#MAX_NAME', {
	limit: 64,
	outcome: (length) => isWhole(toSafeName('n'.repeat(length))),
	within: true,
	beyond: false,
});
testLimit('lib/chat/check/correction.ts#MAX_NAME_BYTES', {
	limit: 200 - 3,
	of: 'bytes of wide characters, and room for the sign of omission',
	// Four bytes each, so that fewer than 64 characters fill it.
	outcome: (bytes) => isWhole(toSafeName(textOfCharacters(49) + 'a'.repeat(bytes - 196))),
	within: true,
	beyond: false,
});
testLimit('lib/chat/check/correction.ts#MAX_QUOTED', {
	limit: 200 - 3,
	of: 'bytes, and room for the sign of omission',
	outcome: (bytes) => {
		const toolCall = { name: 'f', arguments: textOfBytes(bytes) };
		return isWhole(describeForModel({ toolCall, type: 'brokenArguments', details: [] }));
	},
	within: true,
	beyond: false,
});
testLimit('lib/chat/check/correction.ts#MAX_LIST_BYTES', {
	limit: 1_000 - 3,
	of: 'bytes, and room for the sign of omission',
	outcome: (bytes) => {
		const [, issue] = toShort(buildFormatCorrection('', [textOfBytes(bytes)]));
		return isWhole(String(issue!.content));
	},
	within: true,
	beyond: false,
});
testLimit('lib/chat/check/correction.ts#MAX_FORMATTED', {
	limit: 2_000 - 3,
	of: 'bytes, and room for the sign of omission',
	outcome: (bytes) => {
		const [response] = buildFormatCorrection(textOfBytes(bytes), ['no']);
		return isWhole(String(response!.content));
	},
	within: true,
	beyond: false,
});
testLimit('lib/chat/check/correction.ts#MAX_NAMES', {
	limit: 20,
	outcome: (count) => {
		const names = Array.from({ length: count }, (_none, at) => `n${at}`);
		const toolCall = { name: 'f', arguments: '{}' };
		const text = describeForModel({ toolCall, type: 'missingArguments', details: names });
		return text.includes(names.at(-1)!);
	},
	within: true,
	beyond: false,
});

describe('a correction has at most 3,600 bytes, as JSON, in any script', () => {
	test.each(['a', '界', '𝄞', '"'])(
		'a correction has at most 3,600 bytes with names of %s',
		(character) => {
			const tooLong: Array<{ count: number; length: number; bytes: number }> = [];
			for (let count = 1; count <= 12; count++) {
				for (const length of [90, 100, 101, 290, 300, 301, 990, 1_000, 1_001]) {
					const calls = Array.from({ length: count }, (_none, at) => ({
						name: `${character.repeat(length)}${at}`,
						arguments: JSON.stringify({ a: character.repeat(length) }),
					}));
					const issues = calls.map((toolCall) => ({
						toolCall,
						type: 'unknownTool' as const,
						details: [],
					}));
					const text = character.repeat(length);
					const correction = buildToolCallCorrection({
						text,
						calls,
						issues,
						tools: [toTool({ name: 'f', schema: {} })],
					});
					const bytes = Buffer.byteLength(JSON.stringify(correction));
					if (bytes > 3_600) tooLong.push({ count, length, bytes });
				}
			}
			expect(tooLong).toEqual([]);
		},
	);
});

testLimit('lib/chat/read/tool-call-accumulator.ts#MAX_TOOL_CALLS', {
	limit: 1_000,
	outcome: (count) => {
		const accumulator = new ToolCallAccumulator();
		accumulator.add(
			Array.from({ length: count }, (_none, index) => ({
				index,
				function: { name: 'f', arguments: '{}' },
			})),
		);
		return accumulator.hasTooMany;
	},
	within: false,
	beyond: true,
});
testLimit('lib/chat/tools/tool-call-ids.ts#MAX_SERVER_ID', {
	limit: 200,
	outcome: (length) => {
		const id = `f${'1'.repeat(length - 1)}`;
		const [own] = createToolCallIds([id]);
		return toServerToolCallId({ id: own!, name: 'f' }) === id;
	},
	within: true,
	beyond: false,
});
testLimit('lib/chat/tools/tool-names.ts#MAX_NAME_LENGTH', {
	limit: 64,
	outcome: (length) => toValidName('n'.repeat(length)).length === length,
	within: true,
	beyond: false,
});
testLimit('lib/chat/tools/tool-call-cache.ts#MAX_CHARACTERS', {
	limit: 65_536,
	outcome: (length) => {
		const call = { id: `id${length}`, name: 'f', arguments: '{}' };
		cacheToolCalls({
			text: '界'.repeat(length - 1 - 2 - 5),
			reasoning: 'a'.repeat(5),
			toolCalls: [call],
		});
		return toolCallCache.get(call.id) !== undefined;
	},
	within: true,
	beyond: false,
});

testLimit('lib/chat/prepare/trim-history.ts#MAX_RESULT_LENGTH', {
	limit: 1_000,
	outcome: (length) => {
		const turn: ChatMessage[] = [
			...toMessages([
				{ role: 'user', content: 'Why?' },
				{ role: 'assistant', content: '', toolCalls: [{ id: 'a', name: 'f', arguments: '{}' }] },
				{ role: 'tool', toolCallId: 'a', name: 'f', content: '界'.repeat(length) },
			]),
		];
		return trimHistory([...turn, ...toMessages([{ role: 'user', content: 'Now?' }])], 800)
			.shortenedResults;
	},
	within: 0,
	beyond: 1,
});

testLimit('lib/chat/check/check-schema.ts#MAX_ISSUES', {
	limit: 5,
	outcome: (count) => {
		const names = Array.from({ length: count }, (_none, at) => `n${at}`);
		const properties = Object.fromEntries(names.map((name) => [name, { type: 'string' }]));
		const value = Object.fromEntries(names.map((name) => [name, 1]));
		const { issues } = validateAgainstSchema({ type: 'object', properties }, value);
		return issues.length === count;
	},
	within: true,
	beyond: false,
});
testLimit('lib/chat/check/validate-against-schema.ts#MAX_LENGTH', {
	limit: 200_000,
	of: 'characters of the schema, also wide ones',
	outcome: (length) => {
		const schema = { description: '' };
		schema.description = '界'.repeat(length - JSON.stringify(schema).length);
		try {
			validateAgainstSchema(schema, {});
			return 'checked';
		} catch {
			return 'too long';
		}
	},
	within: 'checked',
	beyond: 'too long',
});

const [, MAX_CONTEXT] = GENERATION_OPTIONS.contextSize.range!;
testLimit('lib/chat/body/generation-options.ts#MAX_INTEGER', {
	limit: 2_147_483_647,
	outcome: (tokens) => tokens <= MAX_CONTEXT,
	within: true,
	beyond: false,
});

testLimit('lib/chat/prepare/tool-selection.ts#MAX_QUESTIONS', {
	limit: 4,
	// The oldest of so many questions names a tool.
	outcome: (count) => {
		const tools = ['weather', 'stocks'].map((name) =>
			toTool({ name, description: name, schema: {} }),
		);
		const questions = Array.from({ length: count }, (_none, at) => (at === 0 ? 'stocks' : 'hello'));
		const messages = questions.map((content) => toInput({ type: 'human', content }));
		return selectTools({ tools, messages }, 1).map(({ name }) => name);
	},
	within: ['stocks'],
	beyond: ['weather'],
});

testLimit('lib/chat/body/grammar-schema.ts#MAX_REPETITIONS', {
	limit: 1_998,
	outcome: (count) =>
		JSON.stringify(
			toGrammarSchema({ type: 'array', items: { type: 'string' }, maxItems: count }),
		).includes(String(count)),
	within: true,
	beyond: false,
});
