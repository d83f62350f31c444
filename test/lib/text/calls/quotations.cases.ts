/** Texts of a conversation that do not quote a call. */

export interface NoQuotation {
	/** What the text is. */
	what: string;
	/** Name and arguments, as JSON. */
	call: { name: string; args: string };
	text: string;
}

const DELETE = { name: 'delete_customer', args: '{"id":4711}' };
const SEARCH = { name: 'search', args: '{"query":"n8n"}' };
const LIST = { name: 'list_all', args: '{}' };

export const NO_QUOTATIONS: NoQuotation[] = [
	{ what: 'prose', call: DELETE, text: 'Please delete customer id 4711.' },
	{ what: 'prose with the name', call: DELETE, text: 'Use delete_customer for the customer 4711.' },
	{
		what: 'prose with brackets',
		call: DELETE,
		text: 'Please delete customer (id 4711) and [4711].',
	},
	{ what: 'prose with an equals sign', call: DELETE, text: 'Delete customer, id = 4711' },
	{
		what: 'prose with the word name',
		call: { name: 'create_user', args: '{"name":"Bob"}' },
		text: 'Create user with the name Bob.',
	},
	{
		what: 'prose with the word arguments',
		call: { name: 'delete_file', args: '{"path":"a.txt"}' },
		text: 'Delete file a.txt without arguments.',
	},
	{ what: 'the value alone', call: SEARCH, text: 'What is n8n?' },
	{ what: 'the value before the name', call: SEARCH, text: 'About n8n: {"do":"search"}' },
	{ what: 'a question', call: SEARCH, text: 'Please search for n8n (the workflow tool).' },
	{ what: 'a signature', call: SEARCH, text: 'search(query) finds pages. Ask for n8n.' },
	{ what: 'a name in brackets', call: SEARCH, text: 'The tools (search, mail) know all of n8n.' },
	{
		what: 'a value far away',
		call: SEARCH,
		text: `search {"query": "x"} ${'word '.repeat(60)} n8n`,
	},
	{ what: 'the call with another value', call: DELETE, text: 'delete_customer {"id":47}' },
	{
		what: 'the call with a longer value',
		call: { name: 'delete_customer', args: '{"id":47}' },
		text: 'delete_customer {"id":4711}',
	},
	{
		what: 'the call with a value in a word',
		call: { name: 'search', args: '{"query":"art"}' },
		text: 'search {"query":"party"}',
	},
	{
		what: 'a list of data',
		call: DELETE,
		text: '[{"id":4711,"name":"Bob"},{"id":4712,"name":"Al"}]',
	},
	{
		what: 'a page of data',
		call: DELETE,
		text: '<table><tr><td class="n">4711</td><td>Bob</td></tr></table>',
	},
	{
		what: 'a page about the tool',
		call: DELETE,
		text: '<td>delete_customer</td><td>deletes</td><td>4711</td>',
	},
	{
		what: 'half of the arguments',
		call: { name: 'mail', args: '{"to":"a@b.c","text":"Hello"}' },
		text: 'mail {"to":"a@b.c"}',
	},
	{ what: 'a list of names', call: LIST, text: 'Tools: list_all, search, mail.' },
	{
		what: 'a list with marks',
		call: LIST,
		text: '- `list_all`: lists all\n- **search**: searches',
	},
	{ what: 'a list in JSON', call: LIST, text: '["list_all","search"]' },
	{ what: 'a list in brackets', call: LIST, text: 'Use a tool (list_all) or [list_all].' },
	{
		what: 'a list of names with their meanings',
		call: LIST,
		text: 'list_all (lists all), search (searches)',
	},
	{ what: 'a list in YAML', call: LIST, text: '- name: list_all\n  description: Lists all' },
	{
		what: 'a list of definitions',
		call: LIST,
		text: '{"name":"list_all","description":"Lists all customers"}',
	},
	{
		what: 'a name in an HTML page',
		call: LIST,
		text: '<ul><li>list_all</li><li><code>list_all</code></li></ul>',
	},
	{ what: 'a name in a separate tag', call: LIST, text: '<tools><tool>list_all</tool></tools>' },
	{
		what: 'a name in a sentence',
		call: LIST,
		text: 'The name (list_all) of the tool list_all is clear.',
	},
	{
		what: 'a name with a colon',
		call: LIST,
		text: 'list_all: all customers. Call list_all, then answer.',
	},
	{
		what: 'a list in YAML with a sentence',
		call: LIST,
		text: '- name: list_all\n  text: Takes no arguments.',
	},
	{
		what: 'a list with schemas',
		call: LIST,
		text: '[{"name":"list_all","parameters":{"type":"object","properties":{}}}]',
	},
	{ what: 'nothing', call: DELETE, text: '' },
	{
		what: 'a word of JavaScript',
		call: { name: 'constructor', args: '{"id":4711}' },
		text: 'constructor &constructor; \\constructor toString',
	},
];
