import { readQuotedCalls } from '../../../../lib/text/calls/read-text-calls';

const CALL = '<tool_call>{"name":"look","arguments":{"n":1}}</tool_call>';

test.each([
	{ text: 'No call begins here.', inCode: 0, outside: 0 },
	{ text: '', inCode: 0, outside: 0 },
	{ text: `It says ${CALL}`, inCode: 1, outside: 1 },
	{ text: `> ${CALL}`, inCode: 1, outside: 1 },
	{ text: `- ${CALL}`, inCode: 1, outside: 1 },
	{ text: `Like this:\n\`\`\`\n${CALL}\n\`\`\`\n`, inCode: 1, outside: 0 },
])('the calls of a quoted text, with and without those in code: $text', (row) => {
	expect([true, false].map((isInCode) => readQuotedCalls(row.text, isInCode).length)).toEqual([
		row.inCode,
		row.outside,
	]);
});
