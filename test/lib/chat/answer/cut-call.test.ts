import { cutCallIn } from '../../../../lib/chat/answer/cut-call';

const TOOLS = [
	{ name: 'get_weather', parameters: {} },
	{ name: 'get_time', parameters: {} },
];

it.each([
	['{"name": "get_weather", "parameters": {"ci', 'get_weather'],
	['{\n  "name": "get_ti', 'get_time'],
	['[{"name":"get_time","arguments":{}', 'get_time'],
	['{"na', 'get_weather'],
	['{', 'get_weather'],
	['{"name": "Ada", "age"', undefined],
	['{"city": "Rome', undefined],
	['The weather {"name": "get_weather"', undefined],
	['', undefined],
])('the beginning of a call: %j', (text, tool) => {
	expect(cutCallIn(text, TOOLS)).toBe(tool);
});

it('without tools nothing counts as a call', () => {
	expect(cutCallIn('{"name": "get_weather"', [])).toBeUndefined();
});
