// Generated from the application's OpenAPI document by `npm run generate:api`. Do not edit.

export const limits = {
  "AccountChange": {
    "display_name": {
      "minLength": 1,
      "maxLength": 200
    }
  },
  "AddressToken": {
    "token": {
      "maxLength": 128
    }
  },
  "AssetChange": {
    "name": {
      "minLength": 1,
      "maxLength": 1000
    }
  },
  "AuthenticatorCode": {
    "code": {
      "minLength": 6,
      "maxLength": 20
    }
  },
  "ConnectionChange": {
    "email_attribute": {
      "maxLength": 256
    },
    "groups_attribute": {
      "maxLength": 256
    },
    "name": {
      "minLength": 1,
      "maxLength": 100
    },
    "name_attribute": {
      "maxLength": 256
    },
    "name_id_format": {
      "maxLength": 256
    },
    "subject_attribute": {
      "maxLength": 256
    }
  },
  "ConnectionForm": {
    "name": {
      "minLength": 1,
      "maxLength": 100
    }
  },
  "DomainForm": {
    "domain": {
      "minLength": 3,
      "maxLength": 260
    }
  },
  "ErasureRequest": {
    "login": {
      "maxLength": 254
    }
  },
  "FirstEmailCode": {
    "email_code": {
      "minLength": 8,
      "maxLength": 20
    }
  },
  "GroupRuleForm": {
    "group": {
      "minLength": 1,
      "maxLength": 256
    }
  },
  "InvitationForm": {
    "address": {
      "minLength": 3,
      "maxLength": 254
    }
  },
  "InvitationToken": {
    "token": {
      "maxLength": 128
    }
  },
  "InvitedAccount": {
    "display_name": {
      "minLength": 1,
      "maxLength": 200
    },
    "password": {
      "maxLength": 200
    },
    "token": {
      "maxLength": 128
    }
  },
  "MetadataForm": {
    "signer": {
      "maxLength": 20000
    },
    "url": {
      "maxLength": 2000
    },
    "xml": {
      "maxLength": 1048576
    }
  },
  "NewAccessToken": {
    "name": {
      "minLength": 1,
      "maxLength": 100
    }
  },
  "NewPerson": {
    "display_name": {
      "minLength": 1,
      "maxLength": 200
    },
    "login": {
      "minLength": 1,
      "maxLength": 254
    }
  },
  "OrganisationForm": {
    "name": {
      "minLength": 1,
      "maxLength": 200
    }
  },
  "PasskeyForm": {
    "attestation_object": {
      "maxLength": 90000
    },
    "client_data": {
      "maxLength": 90000
    },
    "name": {
      "minLength": 1,
      "maxLength": 100
    }
  },
  "PasskeySignature": {
    "authenticator_data": {
      "maxLength": 90000
    },
    "client_data": {
      "maxLength": 90000
    },
    "credential_id": {
      "maxLength": 1400
    },
    "signature": {
      "maxLength": 90000
    },
    "user_handle": {
      "maxLength": 100
    }
  },
  "PasswordChange": {
    "current_password": {
      "maxLength": 1024
    },
    "new_password": {
      "maxLength": 200
    }
  },
  "PasswordLinkToken": {
    "token": {
      "maxLength": 100
    }
  },
  "PersonChange": {
    "display_name": {
      "minLength": 1,
      "maxLength": 200
    },
    "login": {
      "minLength": 1,
      "maxLength": 254
    }
  },
  "ProductionForm": {
    "name": {
      "minLength": 1,
      "maxLength": 200
    }
  },
  "ServiceAccountChange": {
    "name": {
      "minLength": 1,
      "maxLength": 100
    },
    "purpose": {
      "minLength": 1,
      "maxLength": 500
    }
  },
  "ServiceAccountForm": {
    "name": {
      "minLength": 1,
      "maxLength": 100
    },
    "purpose": {
      "minLength": 1,
      "maxLength": 500
    }
  },
  "SetPassword": {
    "password": {
      "maxLength": 200
    },
    "token": {
      "maxLength": 100
    }
  },
  "SignIn": {
    "login": {
      "maxLength": 254
    },
    "password": {
      "maxLength": 1024
    }
  },
  "SignInAddress": {
    "address": {
      "maxLength": 254
    }
  },
  "StudioAccountRequest": {
    "return_to": {
      "maxLength": 2000
    }
  },
  "StudioConfirmationRequest": {
    "return_to": {
      "maxLength": 2000
    }
  },
  "SupportGrantForm": {
    "address": {
      "minLength": 3,
      "maxLength": 254
    },
    "reason": {
      "minLength": 1,
      "maxLength": 500
    }
  },
  "SupportOfferToken": {
    "token": {
      "maxLength": 128
    }
  },
  "WantedAddress": {
    "address": {
      "minLength": 3,
      "maxLength": 254
    }
  }
} as const;
