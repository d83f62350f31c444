/** Rows of the table of texts: what a code of Dify, or the node that failed, says in place of the words of its type. */
import { findSuggestion } from '../../../lib/dify/error-texts';
import type { ApprovedRow } from '../../support/approved/approved-table';

const CODES = [
	'human_input_form_expired',
	'human_input_form_submitted',
	'unsupported_audio_type',
	'audio_too_large',
	'file_too_large',
	'file_extension_blocked',
	'invalid_action',
	'not_found',
];
const NODES = ['tool', 'http-request', 'llm'];

export const listDifyTexts = (): ApprovedRow[] => [
	...CODES.map((code) => ({
		input: `Dify code ${code}`,
		outcome: findSuggestion({ code, nodeType: 'tool' }),
	})),
	...NODES.map((nodeType) => ({
		input: `Dify node ${nodeType}`,
		outcome: findSuggestion({ code: undefined, nodeType }),
	})),
];
