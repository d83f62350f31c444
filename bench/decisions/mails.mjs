/** Fifty mails with the department that should answer. */

/** What belongs to each department. */
export const DEPARTMENTS = {
	support: 'something that was sold is broken, late or wrong',
	bookkeeping: 'invoices, payments, receipts',
	sales: 'questions about goods and prices',
};

const BY_DEPARTMENT = {
	support: [
		'My order has not arrived after three weeks.',
		'The lamp flickers since yesterday.',
		'One of the four chairs has a broken leg.',
		'I was sent the wrong size.',
		'The app does not let me in any more.',
		'The delivery is late and nobody answers.',
		'The drawer does not close.',
		'The parcel was empty when it came.',
		'The table has a deep scratch.',
		'The handle came off on the first day.',
		'Half of the screws are missing.',
		'The sofa is grey, and I had ordered green.',
		'The kettle leaks.',
		'The instructions are for another model.',
		'The remote control does nothing.',
		'The mirror arrived in pieces.',
		'The clock stops every night.',
	],
	bookkeeping: [
		'Please pay our invoice 118 within ten days.',
		'You have charged my card twice.',
		'Can you send me the receipt for March?',
		'This is the second reminder of the open amount.',
		'Our tax number on your invoice is wrong.',
		'I have paid, but you say I have not.',
		'Could you change the address on the bill?',
		'Where can I see what I still owe?',
		'The refund has not reached my account.',
		'Our bank details have changed.',
		'We need the invoice as a PDF.',
		'The sum on the credit note is too small.',
		'May I pay in three rates?',
		'Your direct debit was returned.',
		'Which reference belongs on the transfer?',
		'The invoice has no order number.',
		'You took the money before the agreed day.',
	],
	sales: [
		'What does the large table cost?',
		'Do you deliver to Norway, and at which price?',
		'Is there a discount for twenty pieces?',
		'Which of your lamps are for outdoors?',
		'I would like an offer for a kitchen.',
		'When will the green sofa be sold again?',
		'Is the desk sold in oak as well?',
		'Do you have chairs for children?',
		'How wide is the smallest wardrobe?',
		'Can I see the carpet in a shop near Leeds?',
		'Is there a cheaper model of this bed?',
		'We furnish an office and need fifty chairs.',
		'Does the shelf come in white?',
		'Which mattress do you recommend for two?',
		'Do you sell vouchers?',
		'Are your cushions made of cotton?',
	],
};

/** @type {{ text: string, known: string }[]} */
export const MAILS = Object.entries(BY_DEPARTMENT).flatMap(([known, texts]) =>
	texts.map((text) => ({ text, known })),
);
