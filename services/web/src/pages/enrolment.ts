// Whether somebody wants to work for their other organisations first, before they add the second factor that one of
// them asks for. Until the page is loaded anew.

let isPutOff = false;

export const putOffEnrolment = () => {
  isPutOff = true;
};

export const enrolmentIsPutOff = () => isPutOff;
