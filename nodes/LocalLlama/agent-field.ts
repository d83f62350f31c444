/** The field that an agent fills in when the operation is one of its tools. */
import type { INodeProperties } from 'n8n-workflow';
import { noticeField } from '../shared/field-builders';

/** What the field is to an agent. */
interface AgentArgument {
	/** Name of the argument in the tool that the model sees: letters, digits, `_` and `-`. */
	name: string;
	/** What the model should pass, as a sentence without a period. */
	description: string;
	/** As n8n names it: `json` is an array or an object. Default: `string`. */
	type?: 'string' | 'json';
}

/**
 * The field as it is in the node, and as it is in the tool: there its default is n8n's own expression for a value that the
 * model fills in, with the mark by which the editor shows it as such.
 */
export function agentField(
	field: INodeProperties,
	{ name, description, type = 'string' }: AgentArgument,
): INodeProperties[] {
	const call = `$fromAI('${name}', \`${description}\`, '${type}')`;
	return [
		{ ...field, displayOptions: { hide: { '@tool': [true] } } },
		{
			...field,
			default: `={{ /*n8n-auto-generated-fromAI-override*/ ${call} }}`,
			displayOptions: { show: { '@tool': [true] } },
		},
	];
}

/** What the panel of the tool says above fields that the agent does not fill in. */
export function toolNotice(text: string): INodeProperties {
	return { ...noticeField(text, 'toolNotice'), displayOptions: { show: { '@tool': [true] } } };
}
