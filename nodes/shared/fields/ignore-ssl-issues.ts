/** A field of both credentials. */
import type { SwitchField } from '../../../lib/fields/field';

export const ignoreSslIssuesField = {
	kind: 'switch',
	label: 'Ignore SSL Issues',
	default: false,
	description:
		'Whether to connect even if the server certificate cannot be verified. Warning: anyone between n8n and the server can then read the key and the conversations. Adding your own CA with NODE_EXTRA_CA_CERTS is safer.',
} as const satisfies SwitchField;
