/** The chapter of vectors: responses that a vector store would keep for good. */
import type { OtherDimensions, QuotedText, VectorIssue } from '../facts';
import type { Row, Words } from './row';
import { defineRow } from './row';

const CHECK_SERVER =
	'Check that the Base URL points to a server for embeddings, and that the model is an embedding model.';

export const VECTOR_ROWS: readonly Row[] = [
	defineRow({
		types: ['invalidResponse'],
		needs: ['otherDimensions', 'model'],
		tell: ({ otherDimensions, model }) => describeOtherDimensions(otherDimensions, model),
	}),
	// Of others, the server returns vectors, so its address and the model are right.
	defineRow({
		types: ['invalidResponse'],
		needs: ['vectorIssue', 'refusedText'],
		// Its number and its beginning are told of any refused text.
		tell: ({ vectorIssue }) =>
			toWords(vectorIssue, undefined, 'Change this text, or leave it out.'),
	}),
	defineRow({
		types: ['invalidResponse'],
		needs: ['vectorIssue', 'hasUsableVectors'],
		tell: ({ vectorIssue }) => toWords(vectorIssue, undefined, ''),
	}),
	defineRow({
		types: ['invalidResponse'],
		needs: ['vectorIssue', 'textOfVector'],
		tell: ({ vectorIssue, textOfVector }) => toWords(vectorIssue, textOfVector, CHECK_SERVER),
	}),
	defineRow({
		types: ['invalidResponse'],
		needs: ['vectorIssue'],
		tell: ({ vectorIssue }) => toWords(vectorIssue, undefined, CHECK_SERVER),
	}),
];

function describeOtherDimensions({ received, expected, option }: OtherDimensions, model: string) {
	const title = `The model "${model}" returns vectors with ${received} dimensions instead of ${expected}`;
	return {
		title,
		detail: `${title} as set in ${option}`,
		suggestion: 'Choose the model that created the stored vectors, or correct the option.',
	};
}

/** @param otherwise - What to do if the issue itself does not say it. */
function toWords(issue: VectorIssue, text: QuotedText | undefined, otherwise: string): Words {
	const title = `The server returned unusable embeddings: ${describeIssue(issue)}`;
	const place = text === undefined ? '' : ` (text ${text.index + 1}: "${text.beginning}")`;
	return { title, detail: title + place, suggestion: suggestFor(issue) ?? otherwise };
}

/** Continues the sentence "The server returned unusable embeddings: …". */
function describeIssue(issue: VectorIssue): string {
	switch (issue.kind) {
		case 'count':
			return describeCount(issue);
		case 'dimensions':
			return `a vector has ${issue.dimensions} dimensions while the others have ${issue.expected}`;
		default:
			return ISSUES[issue.kind];
	}
}

function describeCount({ sent, received }: { sent: number; received: number }) {
	const texts = sent === 1 ? 'text was' : 'texts were';
	const vectors = received === 1 ? 'vector was' : 'vectors were';
	return `${sent} ${texts} sent, but ${received} ${vectors} returned`;
}

const ISSUES: Readonly<Record<Exclude<VectorIssue['kind'], 'count' | 'dimensions'>, string>> = {
	missing: 'the response contains no embeddings',
	indexes: 'the vector indexes are incomplete or duplicated, so vectors cannot be matched to texts',
	notBase64: 'a vector is neither an array of numbers nor base64',
	several: 'a text has a list of vectors instead of one vector',
	sparse: 'a vector is a list of objects instead of numbers',
	notNumbers: 'a vector is not an array of numbers, or is empty',
	notFinite: 'a vector contains values that are not 32-bit numbers',
	zeros: 'a vector contains only zeros',
};

function suggestFor({ kind }: VectorIssue): string | undefined {
	switch (kind) {
		case 'several':
			return 'Choose an embedding model with one vector per text: this is a multi-vector model, or the server does not pool its token vectors (--pooling mean, cls or last).';
		case 'sparse':
			return 'Choose a model or an endpoint with dense vectors: this one seems to return sparse ones.';
		case 'notFinite':
			return 'The model failed on this text (NaN). Use another quantization (F16 instead of Q4), turn flash attention off, or run the model on the CPU (-ngl 0 or num_gpu 0).';
		case 'zeros':
			return 'The server is probably running a reranker, or a proxy decoded the response incorrectly. Choose an embedding model.';
		case 'dimensions':
			return 'The server seems to use another model than before. Select the model by name, and insert all documents again.';
		default:
			return undefined;
	}
}
