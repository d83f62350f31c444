import fc from 'fast-check';
import { findThinkingKeys, THINKING_KEYS } from '../../../lib/servers/template-arguments';
import { fixture } from '../../support/servers/streams';

it.each([
	// Qwen3
	['{%- if enable_thinking is defined and enable_thinking is false %}', ['enable_thinking']],
	// DeepSeek V3.1
	['{% if not thinking is defined %}{% set thinking = false %}{% endif %}', ['thinking']],
	// Granite 3.2
	["{%- if thinking %}{{- 'You are a helpful assistant' }}{% endif %}", ['thinking']],
	['{%- if thinking and enable_thinking %}', ['enable_thinking', 'thinking']],
	['{{ message.thinking }}{{ message.reasoning_content }}', []],
	["{{ 'Enable thinking now' }} thinking {# thinking #}", []],
	['{{ rethinking }}{{ thinking_budget }}{% set x = "thinking" %}', []],
	['{% if thinking', []],
	['{{{{{{{%', []],
	['', undefined],
	[undefined, undefined],
	[{}, undefined],
])('%j reads %j', (template, keys) => {
	expect(findThinkingKeys(template)).toEqual(keys);
});

it('reads the recorded templates', () => {
	const read = (name: string) => findThinkingKeys(fixture(name).toString('utf8'));
	expect([read('chatml-thinking.jinja'), read('strict.jinja')]).toEqual([['enable_thinking'], []]);
});

it('finds a variable wherever a template uses it', () => {
	const text = fc.string().map((value) => value.replace(/[{}%'"]/g, ' '));
	fc.assert(
		fc.property(text, fc.constantFrom(...THINKING_KEYS), text, (before, key, after) => {
			expect(findThinkingKeys(`${before}{%- if not ${key} %}${after}`)).toEqual([key]);
		}),
	);
});
